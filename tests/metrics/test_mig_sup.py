import itertools

import numpy as np
import pytest

from disent_runner.metrics.mig_sup import mig_sup, mig_sup_from_arrays
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information
PAIR = np.array(list(itertools.product(range(2), range(2))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


def score(codes, *, factors=GRID, sizes=SIZES, seed=0, **settings):
    return mig_sup(
        Representation(np.asarray(codes, dtype=float), factors, sizes), rng=np.random.default_rng(seed), **settings
    )


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_mig_sup_is_the_gap_of_the_reference_library_s_information(grid, name, train_arrays, load):
    codes, factors = train_arrays(grid, name)
    reference = load("information")
    normalized = reference[f"{grid}_{name}"] / reference[f"{grid}_factor_entropy"]
    gaps = np.array([np.diff(sorted(row)[-2:])[0] for row in normalized])
    active = codes.std(axis=0) > 0.1
    scores = mig_sup_from_arrays(codes, factors.astype(np.uint8))
    assert scores == pytest.approx(
        {
            "mig_sup": gaps.mean(),
            "mig_sup_active": gaps[active].mean(),
            "mig_sup_active_codes": active.sum(),
        },
        abs=1e-9,
    )


@pytest.mark.parametrize(
    ("codes", "expected", "expected_active"),
    [
        pytest.param(GRID, 1.0, 1.0, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 0.5] + 7.0, 1.0, 1.0, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 1.0, 1.0, id="every code twice"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 3 / 5, 1.0, id="beside two constant codes"),
        pytest.param(GRID[:, :1], 1.0, 1.0, id="one latent for one of three factors"),
        pytest.param(np.zeros((60, 3)), 0.0, 0.0, id="constant codes"),
        pytest.param(GRID[:, :1] * 3 + GRID[:, 1:2], 0.0, 0.0, id="one latent for two factors"),
    ],
)
def test_mig_sup_on_a_full_grid(codes, expected, expected_active):
    scores = score(codes)
    assert [scores["mig_sup"], scores["mig_sup_active"]] == pytest.approx([expected, expected_active], abs=1e-12)


def test_codes_that_tell_two_factors_equally_have_no_gap():
    rotated = np.column_stack([PAIR.sum(axis=1), PAIR[:, 0] - PAIR[:, 1]])  # each tells (log 2) / 2 of either
    assert score(rotated, factors=PAIR, sizes=(2, 2))["mig_sup"] == pytest.approx(0.0, abs=1e-12)


def test_information_is_divided_by_the_factor_s_entropy():
    factors = np.array(list(itertools.product(range(2), range(8))))
    code = factors[:, :1] * 2.0 + factors[:, 1:] // 4  # log 2 nats of either factor, which have log 2 and log 8
    assert score(code, factors=factors, sizes=(2, 8))["mig_sup"] == pytest.approx(1 - 1 / 3)


def test_a_single_factor_has_a_rival_that_tells_nothing():
    assert score(GRID[:, :1], factors=GRID[:, :1], sizes=(4,))["mig_sup"] == pytest.approx(1.0)
    halves = GRID[:, :1] // 2
    assert score(halves, factors=GRID[:, :1], sizes=(4,))["mig_sup"] == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_zero(seed):
    rng = np.random.default_rng(seed)
    scores = mig_sup_from_arrays(rng.standard_normal((10_000, 8)), rng.integers(0, 6, size=(10_000, 3)))
    assert 0 <= scores["mig_sup"] < 0.01


def test_active_codes_exceed_the_variance_asked_for():
    codes = (GRID > 0) * [1.0, 0.25, 0.15]  # variances of 0 or 1 with p = 3/4, 2/3, 4/5, times the squares
    variances = np.array([3 / 16, 2 / 9 / 16, 4 / 25 * 0.15**2])
    for threshold in (0.0, 0.01, 0.1, 1.0):
        active = score(codes, active_variance=threshold)["mig_sup_active_codes"]
        assert active == (variances > threshold).sum()
    assert score(np.full((60, 1), 0.1), active_variance=0.0)["mig_sup_active_codes"] == 0
    assert score(PAIR, factors=PAIR, sizes=(2, 2), active_variance=0.25)["mig_sup_active_codes"] == 0  # exactly 1/4


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([GRID, np.full(len(GRID), 2)])
    assert score(GRID, factors=factors, sizes=(*SIZES, 5)) == pytest.approx(score(GRID))


def test_two_images_have_a_score():
    assert mig_sup_from_arrays(np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0], [1]]))["mig_sup"] == 0.5


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (mig_sup(rep, rng=np.random.default_rng(s), num_samples=200)["mig_sup"] for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "mig_sup needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"mig_sup needs at least 1 factor\(s\) .* got 0", id="constant"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"num_bins": 0}, "mig_sup needs num_bins >= 1, got 0", id="bins"),
        pytest.param(
            [[0.0], [1.0]], [[0], [1]], {"active_variance": -1.0}, "mig_sup needs active_variance >= 0", id="variance"
        ),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        mig_sup_from_arrays(np.array(codes), np.array(factors), **settings)


def test_settings_and_labels_of_the_entry_are_checked():
    with pytest.raises(ValueError, match="mig_sup needs num_samples >= 1, got 0"):
        score(GRID, num_samples=0)
    with pytest.raises(ValueError, match="mig_sup needs ground-truth factors, got none"):
        score(GRID, factors=GRID[:, :0], sizes=())
