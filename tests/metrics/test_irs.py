import itertools

import numpy as np
import pytest

from disent_runner.metrics.irs import irs, irs_from_arrays
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
BITS = np.array(list(itertools.product(range(2), repeat=2)))
SIGNS = 2.0 * BITS - 1
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_irs_is_the_reference_library_s(grid, name, train_arrays, oracle):
    codes, factors = train_arrays(grid, name)
    assert irs_from_arrays(codes, factors.astype(np.uint8)) == oracle(f"{grid}/{name}/irs")


@pytest.mark.parametrize(
    ("codes", "expected", "num_active"),
    [
        pytest.param(GRID, 1.0, 3, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 1e-3] + 7.0, 1.0, 3, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 1.0, 6, id="every code twice"),
        pytest.param(GRID[:, :2], 1.0, 2, id="no code for one of three factors"),
        pytest.param(GRID[:, :1], 1.0, 1, id="one latent"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 1.0, 3, id="beside constant codes"),
        pytest.param(np.full((60, 2), 0.1), 0.0, 0, id="constant codes"),
    ],
)
def test_irs_on_a_full_grid(codes, expected, num_active):
    rep = Representation(codes.astype(float), GRID, SIZES)
    scores = irs(rep, rng=np.random.default_rng(0))
    assert scores == pytest.approx({"irs": expected, "irs_active_codes": num_active}, abs=1e-12)


def test_codes_rotated_by_45_degrees_move_half_as_far_when_one_factor_stays():
    codes = SIGNS @ [[1, 1], [1, -1]]  # -2, 0, 0, 2; given one sign, 1 from their mean
    assert irs_from_arrays(codes, BITS) == pytest.approx(1 / 2)


def test_codes_weigh_as_much_as_they_deviate():
    codes = SIGNS @ [[1, 3], [0, 3]]  # robustness 1 and 1/2, largest deviations 1 and 6
    assert irs_from_arrays(codes, BITS) == pytest.approx(4 / 7)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("quantile", [0.5, 0.99, 1.0])
def test_of_uniform_noise_the_quantile_is_missing(seed, quantile):
    rng = np.random.default_rng(seed)
    codes, factors = rng.uniform(-1, 1, size=(20_000, 3)), rng.integers(0, 4, size=(20_000, 2))
    assert irs_from_arrays(codes, factors, quantile=quantile) == pytest.approx(1 - quantile, abs=0.02)


def test_the_largest_deviation_is_the_paper_s():
    codes, factors = np.array([[1.0, 1, 1, 1, -1, -1, -1, -1, -1, 1]]).T, np.repeat([[0], [1]], 5, axis=0)
    assert irs_from_arrays(codes, factors, quantile=1.0) == pytest.approx(-0.6)  # 1.6 from ±0.6, at most 1 from 0
    assert irs_from_arrays(codes, factors, quantile=0.5) == pytest.approx(0.6)


def test_more_values_than_bins_share_bins():
    factors = np.arange(40)[:, None]
    codes = factors.astype(float)
    assert irs_from_arrays(codes, factors) == pytest.approx(1 - 0.5 / 19.5)  # two to a bin, each 0.5 from their mean
    assert irs_from_arrays(codes, factors, num_bins=40) == 1.0


def test_few_values_share_no_bin_however_close():
    factors = np.array([[0], [1], [39]], dtype=np.uint8)
    assert irs_from_arrays(factors.astype(float), factors) == 1.0
    assert irs_from_arrays(factors.astype(float), factors, num_bins=3) == 1.0  # as many as bins
    assert irs_from_arrays(factors.astype(float), factors, num_bins=2) < 1.0


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([BITS, np.full(4, 2)])
    assert irs_from_arrays(SIGNS, factors) == 1.0
    assert irs_from_arrays(SIGNS @ [[1.0], [1.0]], factors) == pytest.approx(1 / 2)


def test_two_images_have_a_score():
    assert irs_from_arrays(np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0], [1]])) == 1.0


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (irs(rep, rng=np.random.default_rng(seed), num_samples=200)["irs"] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "irs needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"irs needs at least 1 factor\(s\) .* got 0 of 1", id="constant"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"num_bins": 0}, "irs needs num_bins >= 1, got 0", id="no bins"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"quantile": 99.0}, "irs needs quantile from 0 to 1, got 99", id="%"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        irs_from_arrays(np.array(codes), np.array(factors), **settings)
