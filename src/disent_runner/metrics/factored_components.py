"""Factored components: do distances, lines and axes of codes follow the factors? (Michlo's disent, 2022)"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float, Integer
from scipy.stats import rankdata

from disent_runner.machine.ranges import Count
from disent_runner.metrics.flatness import draw_traversals, rows_by_length
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_at_least, require_finite, require_labels

LEVELS = 2**17
"""Distances between codes are compared to one part in this of the largest: codes are single precision."""


class Triplets(NamedTuple):
    """Distances of an anchor to two others, (triplet, 2), between values of factors and between codes."""

    factors: Float[np.ndarray, "triplet 2"]
    codes: Float[np.ndarray, "triplet 2"]


@returns(
    Number("factored_components", "higher"),
    *(Number(f"factored_{key}", "higher", per_factor=True) for key in ("correlation", "linearity", "axis_alignment")),
    *(Number(f"factored_{key}", "higher") for key in ("linear_correlation", "ordering")),
    *(Number(f"factored_{key}", "higher") for key in ("axis_ratio", "axis_ratio_shared")),
    *(Number(f"factored_{key}_global", "higher") for key in ("correlation", "linear_correlation", "ordering")),
)
def factored_components(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_repeats: Count = 1024,
    num_triplets: Count = 64,
    subset_size: Count = 32,
    norm: Annotated[int, Ge(1), Le(2)] = 2,
) -> dict[str, float]:
    """The three components of a factored representation, and `factored_components`, their geometric mean, in [0, 1].

    They come from up to `num_repeats` traversals of each factor (images that differ in it only; see
    `flatness.draw_traversals`) and are geometric means over factors, as disent's, where a negative value counts as 0:

    `factored_correlation` of distances between codes and distances between values, by rank (Spearman), of the pairs in
    `num_triplets` random triplets a traversal; `factored_linearity`, see `linearity_from_traversals`, whose ratio of
    axis to line is `factored_axis_alignment`. Beside them stand `factored_axis_ratio` and `factored_axis_ratio_shared`,
    the Pearson correlation `factored_linear_correlation`, and `factored_ordering`, the share of triplets whose two
    distances are in the same order. `…_global` is the same of `num_repeats` batches of `subset_size` random images,
    with the city block distance between all their factors.

    Raises:
        NotApplicable: no factor with a traversal.
        ValueError: a setting below 1, or `norm` neither 1 nor 2.
    """
    rep = require_labels("factored_components", rep)
    require_at_least("factored_components", 1, num_triplets=num_triplets, subset_size=subset_size)
    if norm not in (1, 2):
        raise ValueError(f"factored_components needs norm 1 or 2, got {norm}")
    tables = draw_traversals("factored_components", rep.factors, num_repeats=num_repeats, rng=rng)
    factors = rep.factors.astype(np.int64)
    scores_of: dict[int, dict[str, float]] = {}
    for factor, table in tables.items():
        groups = rows_by_length(table)
        triplets = [_draw(rep.codes, factors[:, [factor]], rows, num_triplets, norm=norm, rng=rng) for rows in groups]
        distances = Triplets(*(np.concatenate(parts) for parts in zip(*triplets, strict=True)))
        scores_of[factor] = agreement_of_distances(*distances) | linearity_from_traversals(
            [rep.codes[rows] for rows in groups]
        )
    batches = rng.integers(len(rep.codes), size=(num_repeats, subset_size))
    everywhere = agreement_of_distances(*_draw(rep.codes, factors, batches, num_triplets, norm=norm, rng=rng))

    means = {
        key: _geometric_mean([scores[key] for scores in scores_of.values()]) for key in next(iter(scores_of.values()))
    }
    components = [means[key] for key in ("correlation", "linearity", "axis_alignment")]
    return (
        {"factored_components": _geometric_mean(components)}
        | {f"factored_{key}": value for key, value in means.items()}
        | {f"factored_{key}_global": value for key, value in everywhere.items()}
        | {
            f"factored_{key}_factor_{factor}": scores[key]
            for key in ("correlation", "linearity", "axis_alignment")
            for factor, scores in scores_of.items()
        }
    )


def agreement_of_distances(
    factor_distances: Float[np.ndarray, "triplet 2"], code_distances: Float[np.ndarray, "triplet 2"]
) -> dict[str, float]:
    """`correlation` (Spearman's), `linear_correlation` (Pearson's), `ordering` of distances from anchors to two others.

    Correlations in [-1, 1] are over all pairs; 0 where either distance never changes. `ordering` in [0, 1] is the share
    of triplets where both distances say which of the two others is nearer, or both that neither is. Distances between
    codes are the same if they are to one part in `LEVELS`, for order and rank.

    Raises:
        ValueError: a distance is not finite.
    """
    require_finite("factored_components", code_distances)
    levels = np.round(LEVELS * (code_distances / max(code_distances.max(), np.finfo(float).tiny)))
    orders = [np.sign(distances[:, 0] - distances[:, 1]) for distances in (factor_distances, levels)]
    return {
        "correlation": _pearson(rankdata(factor_distances), rankdata(levels)),
        "linear_correlation": _pearson(factor_distances.ravel(), code_distances.ravel()),
        "ordering": float((orders[0] == orders[1]).mean()),
    }


def linearity_from_traversals(traversals: Sequence[Float[np.ndarray, "_ _ latent"]]) -> dict[str, float]:
    """How near traversals of one factor, codes (traversal, value, latent), come to a line and to an axis, in [0, 1].

    `linearity`: the share of a traversal's variance along its first principal axis; `axis_ratio`: along the one code
    that varies most; both less the 1/D that equal variances would give, so that 0 is their least. `axis_alignment` is
    their ratio. Means over traversals, where one that moves no code has 0. `axis_ratio_shared`: the same of the codes'
    mean variances, so 1 only if it is the same code in each traversal. One code alone is its own axis: 1.

    Raises:
        ValueError: a code is not finite.
    """
    lines, axes, variances = [], [], []
    for codes in traversals:
        require_finite("factored_components", codes)
        deviation = codes.astype(np.float64) - codes[:, :1]  # exactly 0 for a code that does not move
        deviation -= deviation.mean(axis=1, keepdims=True)
        num_values, num_codes = codes.shape[1:]
        variance = np.square(deviation).sum(axis=1) / (num_values - 1)
        transposed = np.swapaxes(deviation, 1, 2)
        gram = (
            deviation @ transposed if num_values < num_codes else transposed @ deviation
        )  # the same largest eigenvalue
        largest = np.linalg.eigvalsh(gram)[:, -1] / (num_values - 1)
        lines.append(_dominance(largest, variance))
        axes.append(_dominance(variance.max(axis=1), variance))
        variances.append(variance)
    line, axis = np.concatenate(lines), np.concatenate(axes)
    mean_variance = np.concatenate(variances).mean(axis=0, keepdims=True)
    return {
        "linearity": float(line.mean()),
        "axis_alignment": float(np.divide(axis, line, out=np.zeros_like(axis), where=line > 0).clip(max=1).mean()),
        "axis_ratio": float(axis.mean()),
        "axis_ratio_shared": float(_dominance(mean_variance.max(axis=1), mean_variance)[0]),
    }


def _draw(
    codes: Float[np.ndarray, "image latent"],
    factors: Integer[np.ndarray, "image factor"],
    rows: Integer[np.ndarray, "group member"],
    num_triplets: int,
    *,
    norm: int,
    rng: np.random.Generator,
) -> Triplets:
    """Distances in random triplets of each group's members, where one may be drawn twice."""
    members = rng.integers(rows.shape[1], size=(len(rows), num_triplets * 3))
    anchor, *others = np.take_along_axis(rows, members, axis=1).reshape(-1, 3).T

    def distances(array: np.ndarray, order: int) -> Float[np.ndarray, "triplet 2"]:
        differences = [array[anchor].astype(np.float64) - array[other] for other in others]
        return np.stack([np.linalg.norm(difference, ord=order, axis=1) for difference in differences], axis=1)

    return Triplets(distances(factors, 1), distances(codes, norm))


def _pearson(first: Float[np.ndarray, " pair"], second: Float[np.ndarray, " pair"]) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _dominance(
    largest: Float[np.ndarray, " group"], variance: Float[np.ndarray, "group latent"]
) -> Float[np.ndarray, " group"]:
    """Share of a largest variance in all of them, from 0 for equal ones to 1; 0 if all are 0."""
    count = variance.shape[1]
    total = variance.sum(axis=1)
    share = np.divide(largest, total, out=np.zeros_like(total), where=total > 0)
    return share if count == 1 else ((share - 1 / count) / (1 - 1 / count)).clip(min=0)


def _geometric_mean(values: Sequence[float]) -> float:
    return float(np.prod(np.clip(values, 0, None)) ** (1 / len(values)))
