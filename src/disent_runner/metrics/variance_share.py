"""Variance share: which part of what a factor moves lies in one latent (figures of Kulkarni et al. 2015, section 4)."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Numbered
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_finite, require_labels

LARGEST = 2**63 - 1  # combinations of values that have numbers of their own


@returns(Number("variance_share", "higher", per_factor=True))
def variance_share(
    rep: Representation, *, rng: np.random.Generator, latents: Numbered | None = None
) -> dict[str, float]:
    """Share in [0, 1] of one latent in how codes vary among images that differ in one factor only, mean over factors.

    `variance_share` is the mean of `variance_share_factor_<k>`, of `variance_within_groups`. The latent is that of the
    largest share, or with `latents`, by factor name, the one that the model has for this factor; only the factors named
    are then scored. A factor without images that differ in it only is left out, one that moves no code has 0.

    Raises:
        NotApplicable: no factor that is scored has images that differ in it only.
        ValueError: `latents` of no such factor, or outside the codes.
    """
    rep = require_labels("variance_share", rep)
    factors = np.asfortranarray(rep.factors)  # column after column in memory: 40 factors take a fifth of the time
    shares: dict[int, float] = {}
    for column, latent in latents_by_column("variance_share", rep, latents).items():
        variance = variance_within_groups(rep.codes, factors, column)
        if variance is not None:
            largest = variance.max() if latent is None else variance[latent]
            shares[column] = float(largest / variance.sum()) if largest > 0 else 0.0
    if not shares:
        raise NotApplicable(
            f"variance_share needs two images that differ in one factor only, got none such among {len(rep.codes)}"
            " images; raise evaluation.num_images"
        )
    parts = {f"variance_share_factor_{column}": share for column, share in shares.items()}
    return {"variance_share": sum(shares.values()) / len(shares), **parts}


def variance_within_groups(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], column: int
) -> Float[np.ndarray, " latent"] | None:
    """Mean squared distance of each latent from its mean over the images with the same values of all other factors.

    Over the images of all groups in which the factor in `column` has two values or more; None if there is no such
    group. A latent that the factor does not move has exactly 0.

    Raises:
        ValueError: a code is not finite.
    """
    require_finite("variance_share", codes)
    value, group = factors[:, column], values_of_others(factors, column)
    order = np.lexsort([value, group])
    is_first = np.append(True, group[order[1:]] != group[order[:-1]])
    first = np.flatnonzero(is_first)
    size = np.diff(first, append=len(order))
    varies = value[order[first]] != value[order[first + size - 1]]
    if not varies.any():
        return None
    order, size = order[np.repeat(varies, size)], size[varies]
    first = np.cumsum(size) - size
    return np.array([_mean_square(code[order].astype(np.float64), first, size) for code in codes.T])


def latents_by_column(metric: str, rep: Representation, latents: Mapping[str, int] | None) -> dict[int, int | None]:
    """The latent of each factor that is named, by the factor's column; without names every factor, with None.

    Raises:
        ValueError: a name of no factor, or a latent outside the codes; the message names the metric.
    """
    if not latents:
        return dict.fromkeys(range(len(rep.factor_names)))
    names, num_latents = list(rep.factor_names), rep.codes.shape[1]
    for name, latent in latents.items():
        if name not in names:
            raise ValueError(f"{metric} needs latents of {', '.join(names)}, got one of {name}")
        if not 0 <= latent < num_latents:
            raise ValueError(f"{metric} needs latents.{name} from 0 to {num_latents - 1}, got {latent}")
    return {names.index(name): latent for name, latent in latents.items()}


def values_of_others(factors: Integer[np.ndarray, "image factor"], column: int) -> Integer[np.ndarray, " image"]:
    """A number for each image that is the same where all factors but one have the same values."""
    number, count = np.zeros(len(factors), dtype=np.int64), 1
    for other in (other for other in range(factors.shape[1]) if other != column):
        values = factors[:, other]
        size = int(values.max()) + 1
        if count * size > LARGEST:
            _, number = np.unique(number, return_inverse=True)
            count = len(number)
        number, count = number * size + values, count * size
    return number


def _mean_square(
    code: Float[np.ndarray, " image"], first: Integer[np.ndarray, " group"], size: Integer[np.ndarray, " group"]
) -> float:
    """Mean squared deviation from the mean of the group; the images of a group follow each other."""
    deviation = code - np.repeat(code[first], size)  # of equal codes exactly 0, which a mean may miss
    deviation -= np.repeat(np.add.reduceat(deviation, first) / size, size)
    return float(np.square(deviation).mean())
