from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr

from disent_runner.metrics.mcc import mcc, one_to_one, signed_correlation
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.test_variance_share import GRID, SIZES, VALUES


def score(codes, factors=GRID):
    return mcc(Representation(np.asarray(codes, dtype=float), factors, SIZES), rng=np.random.default_rng(0))


def best_sum(affinity):
    """Of all ways to give factors latents one to one."""
    small, large = sorted((affinity, affinity.T), key=len)[0], max(affinity.shape)
    return max(small[range(len(small)), list(chosen)].sum() for chosen in permutations(range(large), len(small)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_correlations_are_numpy_s(dtype):
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [2, 5, 40], size=(300, 3))
    codes = np.column_stack([rng.normal(size=300), 1e4 - factors[:, 2], np.exp(factors[:, 1])]).astype(dtype)
    expected = np.corrcoef(codes.astype(float), factors, rowvar=False)[:3, 3:]
    np.testing.assert_allclose(signed_correlation(codes, factors.astype(np.uint8)), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (6, 3), (2, 4), (1, 1), (1, 5)])
def test_no_other_assignment_has_a_larger_sum(shape):
    for seed in range(20):
        affinity = np.random.default_rng(seed).random(shape)
        values = one_to_one(affinity)
        assert values.sum() == pytest.approx(best_sum(affinity))
        assert (values > 0).sum() == min(shape)


def test_the_mean_is_of_the_best_assignment_by_either_correlation():
    rng = np.random.default_rng(0)
    codes = np.exp(VALUES @ rng.normal(size=(3, 5)) + rng.normal(size=(60, 5)))
    scores = score(codes)
    pearson = np.abs(np.corrcoef(codes, GRID, rowvar=False)[:5, 5:])
    spearman = np.abs(spearmanr(codes, GRID).statistic[:5, 5:])  # pyright: ignore
    assert scores["mcc"] == pytest.approx(best_sum(pearson) / 3)
    assert scores["mcc_spearman"] == pytest.approx(best_sum(spearman) / 3)
    for name in ("mcc", "mcc_spearman"):
        assert scores[name] == pytest.approx(np.mean([scores[f"{name}_factor_{k}"] for k in range(3)]))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(VALUES, (1, 1, 1), id="one latent per factor"),
        pytest.param(VALUES[:, [2, 0, 1]] * [1e3, -2, 1e-3] - 7, (1, 1, 1), id="any order, sign and scale"),
        pytest.param(np.hstack([VALUES, VALUES]), (1, 1, 1), id="every latent twice"),
        pytest.param(np.hstack([VALUES, np.full((60, 1), 0.1)]), (1, 1, 1), id="beside a constant latent"),
        pytest.param(VALUES[:, :2], (1, 1, 0), id="fewer latents than factors"),
        pytest.param(np.full((60, 4), 0.1), (0, 0, 0), id="constant codes"),
        pytest.param((VALUES - VALUES.mean(axis=0)) ** 2, (0, 0, 0), id="neither up nor down"),
    ],
)
def test_correlations_on_a_grid(codes, expected):
    scores = score(codes)
    for name in ("mcc", "mcc_spearman"):
        assert [scores[f"{name}_factor_{k}"] for k in range(3)] == pytest.approx(expected, abs=1e-12)
        assert scores[name] == pytest.approx(np.mean(expected), abs=1e-12)


def test_a_curved_latent_keeps_its_rank():
    scores = score(np.exp(3 * VALUES))
    assert scores["mcc_spearman"] == pytest.approx(1)
    assert scores["mcc"] < 0.95


def test_one_latent_of_two_factors_serves_one():
    factors = GRID[:, :2]
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0) @ np.array([[1.0], [1.0]])
    rep = Representation(np.hstack([codes, np.zeros((60, 1))]), factors, SIZES[:2])
    scores = mcc(rep, rng=np.random.default_rng(0))
    assert sorted((scores["mcc_factor_0"], scores["mcc_factor_1"])) == pytest.approx([0, np.sqrt(0.5)])


def test_factors_of_one_value_and_images_of_unknown_labels_are_left_out():
    assert score(VALUES, GRID * [1, 0, 1]).keys() == {
        *("mcc", "mcc_factor_0", "mcc_factor_2"),
        *("mcc_spearman", "mcc_spearman_factor_0", "mcc_spearman_factor_2"),
    }
    factors = np.where(np.arange(60)[:, None] % 7 == 0, UNKNOWN, GRID)
    known = factors[:, 0] != UNKNOWN
    codes = np.random.default_rng(0).normal(size=(60, 4))
    assert score(codes, factors) == score(codes[known], GRID[known])


def test_nothing_that_varies_is_a_reason():
    with pytest.raises(NotApplicable, match=r"mcc needs at least 1 factor\(s\) with more than one value"):
        score(VALUES, GRID * 0)
