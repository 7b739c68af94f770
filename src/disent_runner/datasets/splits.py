"""Which images are held out of training: pure functions of the factors and a seed, each a mask of the images."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from annotated_types import MinLen
from jaxtyping import Bool, Int

from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.machine.ranges import Count, Fraction, Index, Seed, SomeNames


def at_random(space: Factors, *, fraction: Fraction, seed: Seed) -> Bool[np.ndarray, " image"]:
    """Holds out this fraction of the images. ValueError unless at least one image is on either side."""
    _check_fraction(fraction)
    held_out = np.zeros(len(space), bool)
    held_out[np.random.default_rng(seed).permutation(len(space))[: round(fraction * len(space))]] = True
    return _checked(held_out)


def by_combination(
    space: Factors,
    *,
    factors: SomeNames,
    seed: Seed,
    fraction: Fraction | None = None,
    count: Count | None = None,
) -> Bool[np.ndarray, " image"]:
    """Holds out every image of some combinations of these factors' values, drawn among those that images show.

    One factor makes it a split by its values, such as the identities. Either a fraction of the combinations or their
    count is given. ValueError otherwise, for an unknown factor or a missing label, or when a side would be empty.
    """
    cells = _cells(space, factors)
    combinations, cell_of_image = np.unique(cells, return_inverse=True)
    if (fraction is None) == (count is None):
        raise ValueError(f"dataset.split needs either fraction or count, got fraction={fraction} and count={count}")
    if fraction is not None:
        _check_fraction(fraction)
        count = round(fraction * len(combinations))
    if not isinstance(count, int) or not 0 < count < len(combinations):
        raise ValueError(
            f"dataset.split would hold out {count} of the {len(combinations)} combinations of {', '.join(factors)}; "
            f"some must stay on either side"
        )
    chosen = np.zeros(len(combinations), bool)
    chosen[np.random.default_rng(seed).permutation(len(combinations))[:count]] = True
    return _checked(chosen[cell_of_image.reshape(-1)])


def by_values(
    space: Factors, *, values: Mapping[str, Annotated[Sequence[Index], MinLen(1)]]
) -> Bool[np.ndarray, " image"]:
    """Holds out the images that show one of the listed values of every named factor: a region of the grid.

    ValueError for an unknown factor, a value out of range, or when a side would be empty.
    """
    labels = space.factors(np.arange(len(space)))
    held_out = np.ones(len(space), bool)
    for name, listed in values.items():
        column = space.column(name, "dataset.split.values")
        wrong = [value for value in listed if not isinstance(value, int) or not 0 <= value < space.shape[column]]
        if wrong:
            raise ValueError(f"dataset.split.values.{name} must be 0 to {space.shape[column] - 1}, got {wrong[0]}")
        held_out &= np.isin(labels[:, column], listed)
    return _checked(held_out)


def _cells(space: Factors, factors: Sequence[str]) -> Int[np.ndarray, " image"]:
    """One number for each combination of the factors, of each image."""
    columns = [space.column(name, "dataset.split.factors") for name in factors]
    if not columns:
        raise ValueError("dataset.split.factors must name at least one factor")
    labels = space.factors(np.arange(len(space)))[:, columns]
    unknown = (labels == UNKNOWN).any(axis=1)
    if unknown.any():
        raise ValueError(f"{unknown.sum()} images have no label of {' and '.join(factors)}; they cannot be split by it")
    return np.ravel_multi_index(tuple(labels.T), [space.shape[column] for column in columns])  # pyright: ignore


def _check_fraction(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"dataset.split.fraction must be above 0 and below 1, got {fraction}")


def _checked(held_out: Bool[np.ndarray, " image"]) -> Bool[np.ndarray, " image"]:
    if held_out.all() or not held_out.any():
        what = "every" if held_out.all() else "no"
        raise ValueError(f"dataset.split holds out {what} image of {len(held_out)}; some must stay on either side")
    return held_out
