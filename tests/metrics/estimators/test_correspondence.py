import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import Lasso

from disent_runner.metrics.estimators.correspondence import (
    LASSO_PENALTY,
    SIMILARITIES,
    _duality_gap,
    _ranks,
    correspondence,
)

LASSO = Lasso(alpha=LASSO_PENALTY, fit_intercept=False)


@pytest.fixture
def codes(rng):
    """Two settings of three models: latents of the same four causes, mixed and disturbed."""
    causes, mixing = rng.standard_normal((200, 4)), rng.standard_normal((2, 3, 4, 4))
    return np.tanh(causes @ mixing) + 0.3 * rng.standard_normal((2, 3, 200, 4))


def likeness(first: np.ndarray, second: np.ndarray, similarity: str) -> np.ndarray:
    if similarity == "spearman":
        return np.abs(spearmanr(first, second).statistic[: first.shape[1], first.shape[1] :])  # pyright: ignore
    first, second = ((each - each.mean(axis=0)) / each.std(axis=0) for each in (first, second))
    return np.abs(np.stack([LASSO.fit(first, target).coef_ for target in second.T], axis=1))


def by_loop(models: list[np.ndarray], similarity: str, aggregate: str) -> np.ndarray:
    """The two formulas, a pair of latents at a time, by other libraries."""
    result = np.zeros((len(models), len(models)))
    for i, first in enumerate(models):
        for j, second in enumerate(models):
            r = likeness(first, second, similarity)
            of_second = [max(column) ** 2 / sum(column) if sum(column) else 0.0 for column in r.T]
            of_first = [max(row) ** 2 / sum(row) if sum(row) else 0.0 for row in r]
            if aggregate == "paper":
                result[i, j] = (sum(of_first) + sum(of_second)) / (len(of_first) + len(of_second))
            else:
                result[i, j] = (np.mean(of_first) + np.mean(of_second)) / 2
    return result


@pytest.mark.parametrize("aggregate", ["paper", "library"])
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_many_settings_at_once_are_each_by_a_loop(codes, similarity, aggregate):
    informative = np.array([[[True] * 4, [True, False, True, True], [True] * 4]] * 2)
    found = getattr(correspondence(codes, informative, similarity=similarity), aggregate)
    for setting, masks, pairwise in zip(codes, informative, found, strict=True):
        models = [model[:, mask] for model, mask in zip(setting, masks, strict=True)]
        expected = by_loop(models, similarity, aggregate)
        others = ~np.eye(3, dtype=bool)
        np.testing.assert_allclose(pairwise[others], expected[others], atol=1e-3 if similarity == "lasso" else 1e-12)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_latents_that_are_not_informative_change_nothing_where_they_stand_and_what_they_hold(codes, rng, similarity):
    wide = np.concatenate([codes[..., :2], rng.standard_normal((2, 3, 200, 1)), codes[..., 2:]], axis=-1)
    mask = np.broadcast_to([True, True, False, True, True], (2, 3, 5))
    found = correspondence(wide, mask, similarity=similarity)
    expected = correspondence(codes, np.ones((2, 3, 4), dtype=bool), similarity=similarity)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_duality_gap_is_the_loss_less_that_of_the_dual(rng):
    """At any weights: |y - Xw|² / 2N + penalty |w|, less (|y|² - |y - θ|²) / 2N for θ, the residual made feasible."""
    x, weights = rng.standard_normal((3, 50, 4)), rng.standard_normal((3, 4, 2))
    y = (x[0] @ rng.standard_normal((4, 2)) + rng.standard_normal((50, 2))) * [1.0, 1e-3]
    weights[0] = 0.0
    residual = y - x @ weights
    steepest = np.abs(np.swapaxes(x, 1, 2) @ residual / 50).max(axis=1, keepdims=True)
    dual = residual * np.minimum(1, LASSO_PENALTY / steepest)
    expected = np.square(residual).sum(axis=1) / 100 + LASSO_PENALTY * np.abs(weights).sum(axis=1)
    expected -= (np.square(y).sum(axis=0) - np.square(y - dual).sum(axis=1)) / 100
    among = np.swapaxes(x, 1, 2) @ x / 50
    correlation = np.swapaxes(x, 1, 2) @ y / 50
    gap = _duality_gap(weights, correlation, among @ weights, np.square(y).mean(axis=0, keepdims=True))
    np.testing.assert_allclose(gap, expected)


def test_equal_codes_share_the_mean_of_their_ranks(rng):
    latents = rng.integers(0, 5, (3, 4, 50)).astype(float)
    latents[1] = rng.standard_normal((4, 50))
    np.testing.assert_array_equal(_ranks(latents), rankdata(latents, axis=-1))
