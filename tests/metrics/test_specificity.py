from dataclasses import replace

import numpy as np
import pytest

from disent_runner.metrics.specificity import latents_of_factors, mean_by_factor, specificity, specificity_of, unigrams
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.rooms import LATENTS, NARROW, VOCABULARY, infer, prior_of, representation, taught


def test_narrow_latents_are_those_of_the_factor(rng) -> None:
    scores = specificity(representation(taught()), rng=rng)
    narrow = np.exp(NARROW / 2)
    assert scores == {
        "specificity": pytest.approx(1 - narrow),
        **{f"specificity_factor_{k}": pytest.approx(1 - narrow) for k in (1, 2, 3)},
        "specificity_others": 0.0,
        "specificity_deviation_ratio": pytest.approx(narrow),
        "specificity_agreement": 1.0,
        **{f"specificity_latent_factor_{k}": float(k - 1) for k in (1, 2, 3)},
    }


def test_concepts_that_say_nothing_are_as_wide_as_the_prior(rng) -> None:
    scores = specificity(representation(taught(infer=prior_of)), rng=rng)
    assert (scores["specificity"], scores["specificity_others"], scores["specificity_deviation_ratio"]) == (0, 0, 1)


def test_a_concept_that_is_narrow_everywhere_is_not_specific(rng) -> None:
    """As of the reversed KL: its own latent is narrow, and so are the others."""

    def everywhere(symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return infer(symbols)[0], np.full((len(symbols), LATENTS), -2 * np.log(4), np.float32)

    scores = specificity(representation(taught(infer=everywhere)), rng=rng)
    assert scores["specificity"] == pytest.approx(3 / 4)
    assert scores["specificity_others"] == pytest.approx(3 / 4)
    assert scores["specificity_deviation_ratio"] == pytest.approx(1.0)


def test_a_factor_s_latent_is_found_wherever_it_is(rng) -> None:
    turned = [2, 3, 0, 1]

    def infer_turned(symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, logvar = infer(symbols)
        return mean[:, turned], logvar[:, turned]

    rep = representation(taught(infer=infer_turned))
    scores = specificity(replace(rep, codes=rep.codes[:, turned], logvar=None), rng=rng)
    assert [scores[f"specificity_latent_factor_{k}"] for k in (1, 2, 3)] == [2, 3, 0]
    assert scores["specificity_agreement"] == 1.0
    disagreeing = replace(rep, codes=rep.codes[:, [3, 2, 1, 0]])
    assert specificity(disagreeing, rng=rng)["specificity_agreement"] < 1


def test_unigrams_in_the_order_of_symbols() -> None:
    concepts, factor = unigrams(VOCABULARY)
    np.testing.assert_array_equal(VOCABULARY.encode(concepts)[:, :9], np.eye(9))
    assert factor.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2]
    means = mean_by_factor(np.arange(9.0)[:, None], factor)
    assert means.tolist() == [[1.5], [5.0], [7.5]]


def test_wider_than_the_prior_is_not_specific() -> None:
    assert specificity_of(np.array([0.25, 1.0, 3.0])).tolist() == [0.75, 0.0, 0.0]


def test_what_cannot_be_told_is_skipped(rng) -> None:
    rep = representation(taught())
    with pytest.raises(NotApplicable, match=r"^specificity needs a model that was taught symbols"):
        specificity(representation(None), rng=rng)
    with pytest.raises(NotApplicable, match=r"^specificity needs at least 3 factor\(s\) with more than one value"):
        specificity(replace(rep, factors=np.zeros_like(rep.factors)), rng=rng)
    with pytest.raises(NotApplicable, match=r"^specificity needs two latents"):
        specificity(replace(rep, codes=rep.codes[:, :1], logvar=None), rng=rng)
    with pytest.raises(ValueError, match=r"^specificity needs num_bins >= 1, got 0"):
        specificity(rep, rng=rng, num_bins=0)
    assert latents_of_factors(rep.codes, rep.factors[:, 1:], num_bins=20).tolist() == [0, 1, 2]
