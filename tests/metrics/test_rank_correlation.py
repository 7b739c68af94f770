import numpy as np
import pytest
from scipy.stats import spearmanr

from disent_runner.metrics.rank_correlation import (
    rank_correlation,
    rank_correlation_from_arrays,
    signed_rank_correlation,
)
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.test_variance_share import GRID, NAMES, SIZES, VALUES


def score(codes, factors=GRID, **settings):
    rep = Representation(np.asarray(codes, dtype=float), factors, SIZES, factor_names=NAMES)
    return rank_correlation(rep, rng=np.random.default_rng(0), **settings)


def spearman(code, values):
    return abs(spearmanr(code, values).statistic)  # pyright: ignore


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_correlations_are_scipy_s_with_ties_in_codes_and_factors(dtype):
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [2, 5, 40], size=(300, 3))
    codes = np.column_stack(
        [rng.normal(size=300), rng.integers(0, 4, 300), np.exp(factors[:, 1] + rng.normal(size=300))]
    )
    expected = [[spearman(code, values) for values in factors.T] for code in codes.astype(dtype).T]
    found = rank_correlation_from_arrays(codes.astype(dtype), factors.astype(np.uint8))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_correlations_with_their_sign():
    values = np.random.default_rng(0).integers(0, 5, (50, 1))
    codes = np.hstack([-values, np.exp(values), np.ones((50, 1))])
    np.testing.assert_allclose(signed_rank_correlation(codes, values), [[-1.0], [1.0], [0.0]], atol=1e-12)


@pytest.mark.parametrize(
    ("codes", "own", "other"),
    [
        pytest.param(VALUES, (1, 1, 1), (0, 0, 0), id="one latent per factor"),
        pytest.param(np.exp(VALUES[:, [2, 0, 1]] * [1, -2, 3]), (1, 1, 1), (0, 0, 0), id="any order and monotone map"),
        pytest.param(np.hstack([VALUES, np.full((60, 1), 0.1)]), (1, 1, 1), (0, 0, 0), id="beside a constant latent"),
        pytest.param(VALUES[:, :2], (1, 1, 0), (0, 0, 1), id="no latent for one factor"),
        pytest.param(np.full((60, 2), 0.1), (0, 0, 0), (0, 0, 0), id="constant codes"),
        pytest.param((VALUES - [1.5, 1, 2]) ** 2, (0, 0, 0), (0, 0, 0), id="neither up nor down"),
    ],
)
def test_correlations_on_a_grid(codes, own, other):
    scores = score(codes)
    assert [scores[f"rank_correlation_factor_{k}"] for k in range(3)] == pytest.approx(own, abs=1e-12)
    assert [scores[f"rank_correlation_other_factor_{k}"] for k in range(3)] == pytest.approx(other, abs=1e-12)
    assert scores["rank_correlation"] == pytest.approx(np.mean(own), abs=1e-12)
    assert scores["rank_correlation_other"] == pytest.approx(np.mean(other), abs=1e-12)


def test_the_leak_is_of_the_latent_that_was_chosen_for_the_factor():
    mixed = VALUES @ [3.0, 1.0, 0.5]
    scores = score(np.column_stack([mixed, VALUES[:, 2]]))
    expected = [spearman(mixed, values) for values in GRID.T]
    assert scores["rank_correlation_factor_0"] == pytest.approx(expected[0])
    assert scores["rank_correlation_other_factor_0"] == pytest.approx(max(expected[1:]))
    assert scores["rank_correlation_other_factor_1"] == pytest.approx(expected[0])
    assert scores["rank_correlation_other_factor_2"] == pytest.approx(0, abs=1e-12)


def test_a_model_s_own_latents_are_scored_by_the_name_of_their_factor():
    scores = score(VALUES[:, [1, 0, 2]], latents={"elevation": 0, "azimuth": 2})
    expected = {
        "rank_correlation": 0.5,
        "rank_correlation_factor_0": 0.0,
        "rank_correlation_factor_1": 1.0,
        "rank_correlation_other": 0.5,
        "rank_correlation_other_factor_0": 1.0,
        "rank_correlation_other_factor_1": 0.0,
    }
    assert scores == pytest.approx(expected, abs=1e-12)


def test_rounding_exceeds_no_correlation_of_one(rng):
    factors = rng.integers(0, 50, size=(97, 40))
    correlation = rank_correlation_from_arrays(factors.astype(float), factors)
    np.testing.assert_allclose(np.diagonal(correlation), 1.0)
    assert correlation.max() <= 1.0
    assert signed_rank_correlation(-1.0 * factors, factors).min() >= -1.0


def test_factors_of_one_value_are_left_out_and_one_alone_has_no_other():
    factors = np.column_stack([GRID[:, 0], np.zeros((60, 2), int)])
    assert score(VALUES, factors) == pytest.approx({"rank_correlation": 1.0, "rank_correlation_factor_0": 1.0})


def test_images_with_an_unknown_label_are_left_out():
    factors = np.where(np.arange(60)[:, None] % 7 == 0, UNKNOWN, GRID)
    known = factors[:, 0] != UNKNOWN
    codes = np.random.default_rng(0).normal(size=(60, 4))
    assert score(codes, factors) == score(codes[known], GRID[known])


@pytest.mark.parametrize(
    ("factors", "latents", "error", "message"),
    [
        pytest.param(
            GRID, {"hue": 0}, ValueError, "latents of azimuth, elevation, identity, got one of hue", id="name"
        ),
        pytest.param(GRID, {"identity": 3}, ValueError, "latents.identity from 0 to 2, got 3", id="latent"),
        pytest.param(GRID * 0, None, NotApplicable, r"at least 1 factor\(s\) with more than one", id="nothing varies"),
        pytest.param(
            GRID * [1, 0, 1], {"elevation": 0}, NotApplicable, "factor with more than one value, got elev", id="fixed"
        ),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, latents, error, message):
    with pytest.raises(error, match=f"rank_correlation needs .*{message}"):
        score(VALUES, factors, latents=latents)


def test_codes_must_be_finite():
    with pytest.raises(ValueError, match="rank_correlation needs finite codes, got 1 value"):
        rank_correlation_from_arrays(np.array([[0.0], [np.nan]]), np.array([[0], [1]]))
