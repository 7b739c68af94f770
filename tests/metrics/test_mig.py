import itertools

import numpy as np
import pytest

from disent_runner.metrics.mig import mig, mig_from_arrays
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_mig_is_the_reference_library_s(grid, name, train_arrays, oracle):
    codes, factors = train_arrays(grid, name)
    assert mig_from_arrays(codes, factors.astype(np.uint8)) == oracle(f"{grid}/{name}/mig")


@pytest.mark.parametrize(
    ("codes", "expected", "told"),
    [
        pytest.param(GRID, 1.0, SIZES, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 1e-3] + 7.0, 1.0, SIZES, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 1.0, SIZES, id="beside constant codes"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 0.0, SIZES, id="every code twice"),
        pytest.param(np.zeros((60, 3)), 0.0, (1, 1, 1), id="constant codes"),
        pytest.param(GRID[:, :1], 1 / 3, (4, 1, 1), id="one latent for one of three factors"),
    ],
)
def test_mig_on_a_full_grid(codes, expected, told):
    rep = Representation(codes.astype(float), GRID, SIZES)
    scores = mig(rep, rng=np.random.default_rng(0))
    assert scores["mig"] == pytest.approx(expected, abs=1e-12)
    assert scores["mig_average_max_information"] == pytest.approx(np.log(told).mean(), abs=1e-12)


def test_rotated_codes_score_less_than_aligned_ones():
    rotation = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    rep = Representation((GRID - GRID.mean(axis=0)) @ rotation, GRID, SIZES)
    scores = mig(rep, rng=np.random.default_rng(0))
    assert scores["mig_factor_2"] == pytest.approx(1.0)
    assert max(scores["mig_factor_0"], scores["mig_factor_1"]) < 0.3


def test_a_perfect_code_of_the_dsprites_grid_loses_what_20_bins_cannot_tell_apart(full_representation):
    rep = full_representation("dsprites", "aligned")
    everything = mig(rep, rng=np.random.default_rng(0), num_samples=len(rep.codes))
    exact = [1.0, 1.0, np.log(20) / np.log(40)]  # 40 orientations, two in a bin
    assert [everything[f"mig_factor_{k}"] for k in range(3)] == pytest.approx(exact)
    positions = np.histogram(np.arange(32), 20)[0] / 32  # 32 positions, one or two in a bin
    expected = -(positions * np.log(positions)).sum() / np.log(32)
    assert everything["mig_factor_3"] == everything["mig_factor_4"] == pytest.approx(expected)
    for seed in range(3):
        sampled = mig(rep, rng=np.random.default_rng(seed))
        assert sampled["mig"] == pytest.approx(0.8960, abs=2e-3)


def test_random_codes_score_near_zero():
    factors = np.random.default_rng(0).integers(0, 6, size=(10_000, 3))
    for seed in range(3):
        codes = np.random.default_rng(10 + seed).standard_normal((10_000, 8))
        assert 0 <= mig_from_arrays(codes, factors) < 0.01


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([GRID, np.full(len(GRID), 2)])
    rep = Representation(GRID.astype(float), factors, (*SIZES, 5))
    scores = mig(rep, rng=np.random.default_rng(0))
    best = np.log(SIZES).mean()
    expected = {
        "mig": 1.0,
        "mig_average_max_information": best,
        "mig_factor_0": 1,
        "mig_factor_1": 1,
        "mig_factor_2": 1,
    }
    assert scores == pytest.approx(expected)


def test_two_images_have_a_score():
    assert mig_from_arrays(np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0], [1]])) == pytest.approx(1.0)


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (mig(rep, rng=np.random.default_rng(seed), num_samples=200)["mig"] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "mig needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"mig needs at least 1 factor\(s\) .* got 0 of 1", id="constant"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"num_bins": 0}, "mig needs num_bins >= 1, got 0", id="no bins"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        mig_from_arrays(np.array(codes), np.array(factors), **settings)
