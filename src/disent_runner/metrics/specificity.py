"""Specificity of a concept's latents: are those narrow that stand for what it names, and the others wide? (SCAN)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.datasets.symbols.concepts import ANY, Concepts
from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.machine.ranges import Count, Several
from disent_runner.metrics.estimators.information import factor_entropies, mutual_information_matrix
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_labels,
    require_symbols,
    require_varying_factors,
)


@returns(
    Number("specificity", "higher", per_factor=True),
    Number("specificity_others"),
    Number("specificity_deviation_ratio", "lower"),
    Number("specificity_agreement", "higher"),
    Number("specificity_latent", unit="latent", per_factor=True, of_all=False),
)
def specificity(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Count = 20
) -> dict[str, float]:
    """1 - σ of q(z|y), at least 0, of concepts that name one value of one factor.

    `specificity` is that of the factor's own latent, mean over values and factors; `specificity_others` that of all
    other latents; `specificity_deviation_ratio` the σ of the factor's own latent over the median of the others, mean
    over concepts, below 0.5 where a concept is specific. A factor's own latent, `specificity_latent_factor_k`, is the
    one that tells most of it, by mutual information of `num_samples` images' binned codes;
    `specificity_agreement` is the share of factors for which it is the most specific one as well.

    Raises:
        ValueError: a model without symbols, one latent, no labelled image, factors of one value, or a setting that is
            too small.
    """
    symbols = require_symbols("specificity", rep)
    labelled = require_labels("specificity", rep.with_factors(symbols.factors))
    require_at_least("specificity", 1, num_samples=num_samples, num_bins=num_bins)
    if rep.codes.shape[1] < 2:
        raise NotApplicable("specificity needs two latents to compare, got 1")
    rows = draw_rows(len(labelled.codes), num_samples, rng)
    own = latents_of_factors(labelled.codes[rows], labelled.factors[rows], num_bins=num_bins)
    concepts, factor = unigrams(symbols.vocabulary)
    _, logvar = symbols.infer(symbols.vocabulary.encode(concepts))
    deviation = np.exp(logvar.astype(np.float64) / 2)
    values = specificity_of(deviation)
    is_own = np.arange(deviation.shape[1]) == own[factor][:, None]
    means = mean_by_factor(values, factor)
    others = np.median(deviation[~is_own].reshape(len(concepts), -1), axis=1)
    places = [rep.factor_names.index(name) for name in symbols.factors]
    return {
        "specificity": float(means[np.arange(len(own)), own].mean()),
        **{f"specificity_factor_{k}": float(means[i, own[i]]) for i, k in enumerate(places)},
        "specificity_others": float(values[~is_own].mean()),
        "specificity_deviation_ratio": float((deviation[is_own] / others).mean()),
        "specificity_agreement": float((means.argmax(axis=1) == own).mean()),
        **{f"specificity_latent_factor_{k}": float(own[i]) for i, k in enumerate(places)},
    }


def specificity_of(deviation: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """1 - σ, at least 0: how much narrower than the prior a latent is."""
    return np.maximum(1 - deviation, 0)


def unigrams(vocabulary: Vocabulary) -> tuple[Concepts, Integer[np.ndarray, " concept"]]:
    """Each value of each factor as a concept of its own, in the order of symbols, and the factor's place."""
    sizes = list(vocabulary.sizes.values())
    factor = np.repeat(np.arange(len(sizes)), sizes)
    concepts = np.full((len(factor), len(sizes)), ANY, np.int64)
    concepts[np.arange(len(factor)), factor] = np.concatenate([np.arange(size) for size in sizes])
    return concepts, factor


def mean_by_factor(
    values: Float[np.ndarray, "concept latent"], factor: Integer[np.ndarray, " concept"]
) -> Float[np.ndarray, "factor latent"]:
    """Means over the values of each factor."""
    return np.stack([values[factor == place].mean(axis=0) for place in range(factor.max() + 1)])


def latents_of_factors(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int
) -> Integer[np.ndarray, " factor"]:
    """The latent that tells most of each factor: mutual information of its binned code, over the factor's entropy.

    NotApplicable where a factor has one value only.
    """
    require_varying_factors("specificity", factors, minimum=factors.shape[1])
    information = mutual_information_matrix(codes, factors, num_bins=num_bins) / factor_entropies(factors)
    return information.argmax(axis=0)
