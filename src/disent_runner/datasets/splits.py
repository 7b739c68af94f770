"""Which images are held out of training: pure functions of the factors and a seed, each a mask of the images.

The regions of Montero et al. 2021 are presets of `by_values`, `split=montero2021/…`; those of Schott et al. 2022 of
`schott_split`, `split=schott2022/…`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from annotated_types import MinLen
from jaxtyping import Bool, Int

from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.machine.ranges import Count, Fraction, Index, OneOf, Seed, SomeNames


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


def schott_split(
    space: Factors,
    *,
    kind: Annotated[str, OneOf("composition", "interpolation", "extrapolation")],
    factors: SomeNames,
    fraction: Fraction,
) -> Bool[np.ndarray, " image"]:
    """Holds out values of these factors, or combinations of them, as Schott et al. 2022 (section 4) do.

    extrapolation: the images that show one of the last ⌈fraction · size⌉ values of any of the factors. interpolation:
    as many values of each, spread evenly between its first and its last. composition: the images that show none of the
    first ⌊q · size⌋ values of any factor, q such that about as large a share of the images is trained on, though every
    value is: 1 - (1 - q)ⁿ = (1 - fraction)ⁿ of n factors. No other factor has a value held out.

    ValueError for another kind, a fraction outside ]0, 1[, an unknown factor, or when a side would be empty.
    """
    _check_fraction(fraction)
    columns = _columns(space, factors)
    labels = _known(space, columns)
    sizes = [space.shape[column] for column in columns]
    match kind:
        case "extrapolation":
            values = [np.arange(size - math.ceil(_exact(fraction * size)), size) for size in sizes]
        case "interpolation":
            values = [_between(size, math.ceil(_exact(fraction * size))) for size in sizes]
        case "composition":
            share = 1 - (1 - (1 - fraction) ** len(sizes)) ** (1 / len(sizes))
            values = [np.arange(math.floor(_exact(share * size))) for size in sizes]
        case _:
            raise ValueError(f"dataset.split.kind must be composition, interpolation or extrapolation, got {kind!r}")
    shown = np.any([np.isin(column, listed) for column, listed in zip(labels.T, values, strict=True)], axis=0)
    return _checked(~shown if kind == "composition" else shown)


def _between(size: int, count: int) -> Int[np.ndarray, " value"]:
    """So many values, as evenly spaced as can be; the first is not among them, and the last only with all others."""
    kept = np.round(np.linspace(0, size - 1, size - count)).astype(int)
    return np.setdiff1d(np.arange(size), kept)


def _exact(count: float) -> float:
    """Without the rounding of a product: 100 · 0.07 is a little more than 7."""
    return round(count, 9)


def _cells(space: Factors, factors: Sequence[str]) -> Int[np.ndarray, " image"]:
    """One number for each combination of the factors, of each image."""
    columns = _columns(space, factors)
    labels = _known(space, columns)
    return np.ravel_multi_index(tuple(labels.T), [space.shape[column] for column in columns])  # pyright: ignore


def _columns(space: Factors, factors: Sequence[str]) -> list[int]:
    columns = [space.column(name, "dataset.split.factors") for name in factors]
    if not columns:
        raise ValueError("dataset.split.factors must name at least one factor")
    return columns


def _known(space: Factors, columns: Sequence[int]) -> Int[np.ndarray, "image column"]:
    """Value indices of these factors; ValueError where a label is missing."""
    labels = space.factors(np.arange(len(space)))[:, columns]
    unknown = (labels == UNKNOWN).any(axis=1).sum()
    if unknown:
        names = " and ".join(space.names[column] for column in columns)
        raise ValueError(f"{unknown} images have no label of {names}; they cannot be split by it")
    return labels


def _check_fraction(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"dataset.split.fraction must be above 0 and below 1, got {fraction}")


def _checked(held_out: Bool[np.ndarray, " image"]) -> Bool[np.ndarray, " image"]:
    if held_out.all() or not held_out.any():
        what = "every" if held_out.all() else "no"
        raise ValueError(f"dataset.split holds out {what} image of {len(held_out)}; some must stay on either side")
    return held_out
