import itertools

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from disent_runner.metrics.mig import mig
from disent_runner.metrics.minimality_sufficiency import minimality_sufficiency, minimality_sufficiency_from_arrays
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information


def score(codes, factors=GRID, **settings):
    rep = Representation(np.asarray(codes, dtype=float), factors, SIZES)
    return minimality_sufficiency(rep, rng=np.random.default_rng(0), **settings)


def test_both_are_ratios_of_scikit_learn_s_information_and_scipy_s_entropy(rng):
    """Of numpy's bins, in bits as the authors have them; the unit cancels."""
    factors = rng.integers(0, [2, 5, 9], size=(400, 3))
    factors[:, 2] = (factors[:, 1] + factors[:, 2]) // 3  # dependent ones
    codes = np.column_stack([rng.normal(size=400), factors[:, 1] + rng.normal(size=400), factors @ [1.0, 0.3, 0.1]])
    bins = [np.digitize(code, np.linspace(code.min(), code.max(), 16)[1:-1]) for code in codes.T]
    information = np.array([[mutual_info_score(code, values) for values in factors.T] for code in bins]) / np.log(2)
    of_codes, of_factors = (
        np.array([entropy(np.bincount(column), base=2) for column in columns]) for columns in (bins, factors.T)
    )
    minimality, sufficiency = minimality_sufficiency_from_arrays(codes, factors)
    np.testing.assert_allclose(minimality, information.max(axis=1) / of_codes)
    np.testing.assert_allclose(sufficiency, information.max(axis=0) / of_factors)


@pytest.mark.parametrize(
    ("codes", "minimality", "sufficiency"),
    [
        pytest.param(GRID, 1, (1, 1, 1), id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 0.1] + 7.0, 1, (1, 1, 1), id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 1, (1, 1, 1), id="every code twice"),
        pytest.param(GRID[:, :2], 1, (1, 1, 0), id="no code for one of three factors"),
        pytest.param(GRID[:, :1] // 2, 1, (0.5, 0, 0), id="half of what one factor says"),
        pytest.param(GRID[:, :1] * 3 + GRID[:, 1:2], np.log(4) / np.log(12), (1, 1, 0), id="one code of two factors"),
        pytest.param(np.hstack([GRID, np.full((60, 1), 0.1)]), 3 / 4, (1, 1, 1), id="beside a constant code"),
        pytest.param(np.full((60, 2), 0.1), 0, (0, 0, 0), id="constant codes"),
    ],
)
def test_exact_on_a_full_grid(codes, minimality, sufficiency):
    scores = score(codes)
    assert scores["minimality"] == pytest.approx(minimality, abs=1e-9)
    assert [scores[f"sufficiency_factor_{k}"] for k in range(3)] == pytest.approx(sufficiency, abs=1e-9)
    assert scores["sufficiency"] == pytest.approx(np.mean(sufficiency), abs=1e-9)


def test_dependent_factors_cost_nothing():
    """Though one code tells all of another factor too, so that no gap is left to MIG."""
    factors = GRID[GRID[:, 1] == GRID[:, 0] % 3]
    scores = score(factors, factors)
    assert scores["minimality"] == pytest.approx(1)
    assert scores["sufficiency"] == pytest.approx(1)
    gaps = mig(Representation(factors.astype(float), factors, SIZES), rng=np.random.default_rng(0))
    assert gaps["mig_factor_1"] == pytest.approx(0, abs=1e-9)


def test_factors_of_one_value_and_images_of_unknown_labels_are_left_out():
    assert "sufficiency_factor_1" not in score(GRID, GRID * [1, 0, 1])
    factors = np.where(np.arange(60)[:, None] % 7 == 0, UNKNOWN, GRID)
    known = factors[:, 0] != UNKNOWN
    codes = np.random.default_rng(0).normal(size=(60, 4))
    assert score(codes, factors) == score(codes[known], GRID[known])


@pytest.mark.parametrize(
    ("factors", "settings", "error", "message"),
    [
        pytest.param(GRID * 0, {}, NotApplicable, r"at least 1 factor\(s\) with more than one value", id="fixed"),
        pytest.param(GRID, {"num_bins": 0}, ValueError, "num_bins >= 1, got 0", id="no bin"),
        pytest.param(GRID, {"num_samples": 0}, ValueError, "num_samples >= 1, got 0", id="no image"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, error, message):
    with pytest.raises(error, match=f"minimality_sufficiency needs {message}"):
        score(GRID, factors, **settings)
