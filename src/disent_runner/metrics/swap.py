"""Swap test: is the image of one code's pose and another's identity the true one? (after Reed et al. 2014)"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Integer

from disent_runner.machine.ranges import Count, SomeNames, Text
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_autoencoder,
    require_finite,
    require_labels,
    require_part,
)

NONE = -1


@returns(
    Number("swap", "lower"),
    Number("swap_by_part_alone"),
    Number("swap_without_part"),
    Number("swap_of_the_target"),
)
def swap(
    rep: Representation,
    *,
    rng: np.random.Generator,
    part: Text = "h",
    factors: SomeNames | None = None,
    num_pairs: Count = 2_000,
) -> dict[str, float]:
    """Mean squared error of a number of the image that A's code with B's `part` makes, to the true one.

    The true image has B's values of `factors` (the first one, if None) and A's of all others. Of random pairs of images
    whose true image is there, and differs from both. Beside it what codes come to that were not mixed:
    `swap_by_part_alone` of B's, `swap_without_part` of A's, and `swap_of_the_target` of the true image's own.

    Raises:
        NotApplicable: codes that are one whole, only codes, no factor for the others, or no true image.
        ValueError: no such part or factor, or no pair wanted.
    """
    rep = require_labels("swap", rep)
    autoencoder = require_autoencoder("swap", rep)
    require_at_least("swap", 1, num_pairs=num_pairs)
    require_finite("swap", rep.codes)
    place = require_part("swap", rep, part)
    first, second = rng.integers(len(rep.codes), size=(2, num_pairs))
    target = rows_of_swaps(rep.factors, first, second, columns_of(rep, factors))
    is_there = (target != NONE) & (target != first) & (target != second)
    first, second, target = first[is_there], second[is_there], target[is_there]
    if len(target) == 0:
        raise NotApplicable(f"swap needs images with the factors of two others, got none in {num_pairs} pairs")
    images = autoencoder.images(target)

    def error(codes: np.ndarray) -> float:
        return float(np.square(autoencoder.decode(codes) - images).mean(dtype=np.float64))

    return {
        "swap": error(swapped(rep.codes, first, second, place)),
        "swap_by_part_alone": error(rep.codes[second]),
        "swap_without_part": error(rep.codes[first]),
        "swap_of_the_target": error(rep.codes[target]),
    }


def swapped(
    codes: np.ndarray, first: Integer[np.ndarray, " pair"], second: Integer[np.ndarray, " pair"], place: slice
) -> np.ndarray:
    """Codes of the first images with this part of the second's."""
    mixed = codes[first].copy()
    mixed[:, place] = codes[second][:, place]
    return mixed


def columns_of(rep: Representation, factors: Sequence[str] | None) -> list[int]:
    """Of the factors that a part is for, the first one if None. ValueError for no such one, NotApplicable for all."""
    names = rep.factor_names[:1] if factors is None else factors
    unknown = [name for name in names if name not in rep.factor_names]
    if unknown:
        raise ValueError(f"swap needs factors of {', '.join(rep.factor_names)}, got {unknown[0]}")
    if len(names) == len(rep.factor_names):
        raise NotApplicable(f"swap needs factors beside {', '.join(names)}, got none")
    return [rep.factor_names.index(name) for name in names]


def rows_of_swaps(
    factors: Integer[np.ndarray, "image factor"],
    first: Integer[np.ndarray, " pair"],
    second: Integer[np.ndarray, " pair"],
    columns: Sequence[int],
) -> Integer[np.ndarray, " pair"]:
    """Row of an image with the second's values of these factors and the first's of all others; NONE where none is."""
    wanted = factors[first].copy()
    wanted[:, list(columns)] = factors[second][:, list(columns)]
    known, group = np.unique(np.concatenate([factors, wanted]), axis=0, return_inverse=True)
    group = group.reshape(-1)
    row_of = np.full(len(known), NONE)
    row_of[group[: len(factors)]] = np.arange(len(factors))
    return row_of[group[len(factors) :]]
