"""OMES, overlap and multiple encoding score: what changes in codes when one factor does (Dapueto et al. 2024)."""

from typing import Annotated

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, NonNegative, OneOf, Share
from disent_runner.metrics.mcc import signed_correlation
from disent_runner.metrics.variance_share import values_of_others
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_choice,
    require_finite,
    require_labels,
)

POOLINGS = ("average", "max")


@returns(
    Number("omes", "higher", per_factor=True),
    Number("omes_overlap", "higher", per_factor=True),
    Number("omes_multiple_encoding", "higher", per_factor=True),
)
def omes(
    rep: Representation,
    *,
    rng: np.random.Generator,
    alpha: Share = 0.5,
    pooling: Annotated[str, OneOf(*POOLINGS)] = "average",
    num_pairs: Count = 100_000,
    prune_threshold: NonNegative = 0.05,
) -> dict[str, float]:
    """Score in [0, 1] of codes of which each follows one factor, and each factor one code, mean over factors.

    `omes` is `alpha` times `omes_overlap` and 1 - `alpha` times `omes_multiple_encoding`, each the mean of its
    `_factor_<k>`; see `overlap` and `multiple_encoding`. From up to `num_pairs` pairs of images that differ in one
    factor only, for each factor; no image is in two pairs of a factor. Codes whose standard deviation is below
    `prune_threshold` are left out, and so are factors with fewer than two pairs. All are 0 where no code is left.

    Raises:
        NotApplicable: no factor has pairs.
        ValueError: another pooling, or `num_pairs` below 1.
    """
    rep = require_labels("omes", rep)
    require_at_least("omes", 1, num_pairs=num_pairs)
    require_choice("omes", POOLINGS, pooling=pooling)
    require_finite("omes", rep.codes)
    factors = np.asfortranarray(rep.factors)
    pairs = {column: draw_pairs(factors, column, num_pairs, rng) for column in range(factors.shape[1])}
    pairs = {column: rows for column, rows in pairs.items() if len(rows) > 1}
    if not pairs:
        raise NotApplicable(
            "omes needs pairs of images that differ in one factor only, got fewer than two of each factor among "
            f"{len(rep.codes)} images; raise evaluation.num_images"
        )
    deviation = rep.codes.std(axis=0, dtype=np.float64)
    codes = rep.codes[:, (deviation > 0) & (deviation >= prune_threshold)]
    if codes.shape[1]:
        sensitivity = np.stack([lost_correlation(*codes[rows.T]) for rows in pairs.values()], axis=1)
        by_overlap, by_encoding = (part(sensitivity, pooling) for part in (overlap, multiple_encoding))
    else:
        by_overlap = by_encoding = np.zeros(len(pairs))
    numbers = {
        "omes": alpha * by_overlap + (1 - alpha) * by_encoding,
        "omes_overlap": by_overlap,
        "omes_multiple_encoding": by_encoding,
    }
    scores = {name: float(values.mean()) for name, values in numbers.items()}
    for name, values in numbers.items():
        scores |= {f"{name}_factor_{column}": float(value) for column, value in zip(pairs, values, strict=True)}
    return scores


def lost_correlation(
    first: Float[np.ndarray, "pair latent"], second: Float[np.ndarray, "pair latent"]
) -> Float[np.ndarray, " latent"]:
    """1 - |Pearson's correlation| of each code between the images of a pair; 0 of a code that is the same in both."""
    lost = 1 - np.abs(np.diagonal(signed_correlation(first, second)))
    return np.where((first == second).all(axis=0), 0.0, lost)


def overlap(sensitivity: Float[np.ndarray, "latent factor"], pooling: str) -> Float[np.ndarray, " factor"]:
    """For each factor, how far codes that follow it follow no other: 1 - the mean distance of the code's row from e_k.

    Each code's is weighed by how far it follows the factor; of all codes the mean, by that weight again, or the most.
    """
    num_factors = sensitivity.shape[1]
    distance = np.abs(sensitivity[:, None, :] - np.eye(num_factors)).mean(axis=2)
    return _pooled((1 - distance) * sensitivity, sensitivity, pooling)


def multiple_encoding(sensitivity: Float[np.ndarray, "latent factor"], pooling: str) -> Float[np.ndarray, " factor"]:
    """For each factor, how far one code follows it alone: 1 - the mean distance of the factor's column from e_j."""
    num_codes = sensitivity.shape[0]
    distance = np.abs(sensitivity.T[None, :, :] - np.eye(num_codes)[:, None, :]).mean(axis=2)
    return _pooled((1 - distance) * sensitivity, sensitivity, pooling)


def draw_pairs(
    factors: Integer[np.ndarray, "image factor"], column: int, num_pairs: int, rng: np.random.Generator
) -> Integer[np.ndarray, "pair 2"]:
    """Rows of random pairs of images that differ in the factor of this column and in no other."""
    shuffled = rng.permutation(len(factors))
    group = values_of_others(factors, column)[shuffled]
    order = np.argsort(group, kind="stable")
    group, rows = group[order], shuffled[order]
    is_first = np.append(True, group[1:] != group[:-1])
    place = np.arange(len(rows)) - np.maximum.accumulate(np.where(is_first, np.arange(len(rows)), 0))
    second = np.flatnonzero(place % 2 == 1)
    pairs = np.stack([rows[second - 1], rows[second]], axis=1)
    pairs = pairs[factors[pairs[:, 0], column] != factors[pairs[:, 1], column]]
    return rng.permutation(pairs)[:num_pairs]


def _pooled(
    scores: Float[np.ndarray, "latent factor"], weights: Float[np.ndarray, "latent factor"], pooling: str
) -> Float[np.ndarray, " factor"]:
    """Over latents; 0 for a factor that no latent follows."""
    if pooling == "max":
        return scores.max(axis=0)
    total = weights.sum(axis=0)
    return np.divide((scores * weights).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
