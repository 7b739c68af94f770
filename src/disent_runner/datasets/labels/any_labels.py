"""Labels as people have them (indices, numbers, names, some missing) as value indices."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.datasets.labels.label_values import ROUNDING, LabelValues, distinct_values, label_values
from disent_runner.machine.texts import is_number

NUM_BINS = 20
"""Of equal width, that the labels of a continuous factor fall into."""
FEW_TIMES = 5
"""A factor of numbers is continuous where it has more than `NUM_BINS` values and most of them occur fewer times."""
_FAR = 10
"""A smallest or largest label is suspicious where it is so many ranges of the others away from them."""


@dataclass(frozen=True, eq=False)
class IndexedLabels:
    """Value indices (image, factor), UNKNOWN where a label is missing, the number of values of each factor, and
    whether they are bins of a continuous one. `remarks`: sentences on what is missing, and on what may be doubted.
    """

    indices: np.ndarray
    sizes: tuple[int, ...]
    are_binned: tuple[bool, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Factor:
    name: str
    labels: LabelValues
    values: np.ndarray
    """the distinct ones in order"""
    counts: np.ndarray
    """of images that have each value"""
    ranks: np.ndarray
    """of their values, of the images that have a label"""
    is_binned: bool = False


def value_indices(
    columns: Sequence[Any],
    names: Sequence[str],
    *,
    num_images: int,
    continuous: Sequence[str] | None = None,
    discrete: Sequence[str] | None = None,
) -> IndexedLabels:
    """The labels (num_images,) of each factor, of any type, masked or not, as value indices.

    `label_values` says which are missing. A factor of numbers is continuous where it is named so; where it is not named
    at all, if it has more than `NUM_BINS` values and most of them occur fewer than `FEW_TIMES` times, unless the images
    show every combination of several factors' values once. Its labels fall into `NUM_BINS` bins of equal width; those
    of another factor become the ranks of its values.

    Raises ValueError for names of no factor, a continuous factor whose labels are text, and as `label_values`.
    """
    _check_names(names, continuous=continuous, discrete=discrete)
    decided = dict.fromkeys(continuous or (), True) | dict.fromkeys(discrete or (), False)
    factors = [_factor(name, label_values(name, column)) for name, column in zip(names, columns, strict=True)]
    is_grid = _is_grid(factors, num_images)
    factors = [replace(factor, is_binned=_is_binned(factor, decided.get(factor.name), is_grid)) for factor in factors]
    indices = np.full((num_images, len(factors)), UNKNOWN, np.int64)
    for column, factor in zip(indices.T, factors, strict=True):
        column[factor.labels.is_given] = _bins(factor) if factor.is_binned else factor.ranks
    sizes = tuple(max(1, int(column.max(initial=0)) + 1) for column in indices.T)
    missing = [_missing(factor) for factor in factors if not factor.labels.is_given.all()]
    doubts = _doubts([factor for factor in factors if factor.name not in decided], is_grid=is_grid)
    return IndexedLabels(indices, sizes, tuple(factor.is_binned for factor in factors), (*missing, *doubts))


def not_read(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """The remark on arrays of a file that have other names than those that are read; none where there are none."""
    return [f"not read: {', '.join(names)}; arrays that are: {', '.join(known)}"] if names else []


def _check_names(names: Sequence[str], **named: Sequence[str] | None) -> None:
    for key, listed in named.items():
        if listed is not None and (isinstance(listed, str) or not all(isinstance(name, str) for name in listed)):
            raise ValueError(f"{key} must be a list of factors' names, got {listed!r}")
        unknown = [name for name in listed or () if name not in names]
        if unknown:
            raise ValueError(f"{key} names {unknown[0]!r}; the factors are {', '.join(names) or 'none'}")
    both = set.intersection(*(set(listed or ()) for listed in named.values()))
    if both:
        raise ValueError(f"{min(both)} is named both {' and '.join(named)}; choose one")


def _factor(name: str, labels: LabelValues) -> _Factor:
    values, ranks = distinct_values(labels.values[labels.is_given])
    return _Factor(name, labels, values, np.bincount(ranks, minlength=len(values)), ranks)


def _is_binned(factor: _Factor, is_continuous: bool | None, is_grid: bool) -> bool:
    """`is_continuous`: None where the labels decide."""
    if is_continuous and not factor.labels.are_numbers:
        raise ValueError(f"continuous names {factor.name}, but its label {_no_number(factor.labels)!r} is no number")
    if is_continuous is None:
        are_many = factor.labels.are_numbers and len(factor.values) > NUM_BINS
        return not is_grid and are_many and bool((factor.counts < FEW_TIMES).mean() > 0.5)
    return is_continuous and len(factor.values) > 1


def _is_grid(factors: Sequence[_Factor], num_images: int) -> bool:
    """Whether images show every combination of the values of two factors or more once, in any order."""
    varying = [factor for factor in factors if len(factor.values) > 1]
    sizes = tuple(len(factor.values) for factor in varying)
    if len(varying) < 2 or math.prod(sizes) != num_images or not all(f.labels.is_given.all() for f in varying):
        return False
    cells = np.ravel_multi_index(tuple(factor.ranks for factor in varying), sizes)
    return bool((np.bincount(cells, minlength=num_images) == 1).all())


def _bins(factor: _Factor) -> np.ndarray:
    """A label on an edge belongs to the bin above it, also where rounding puts it below."""
    above_lowest = factor.values - factor.values[0]
    if above_lowest.dtype.kind == "i":
        above_lowest = above_lowest.view(np.uint64)  # which the widest range of them does not exceed
    position = above_lowest.astype(np.float64) / float(above_lowest[-1])
    edges = np.linspace(0, 1, NUM_BINS + 1)[:-1] - ROUNDING
    return (np.searchsorted(edges, position, side="right") - 1)[factor.ranks]


def _missing(factor: _Factor) -> str:
    is_given = factor.labels.is_given
    return f"{factor.name}: {(~is_given).sum()} of {len(is_given)} labels are missing"


def _doubts(factors: Sequence[_Factor], *, is_grid: bool) -> Iterator[str]:
    numbers = [factor for factor in factors if factor.labels.are_numbers]
    if binned := [factor.name for factor in numbers if factor.is_binned]:
        yield (
            f"{', '.join(binned)}: continuous, as most values occur fewer than {FEW_TIMES} times; "
            f"{NUM_BINS} bins of equal width (`discrete` names factors that are not)"
        )
    if not is_grid and (rare := [factor.name for factor in factors if not factor.is_binned and _is_sparse(factor)]):
        yield (
            f"{', '.join(rare)}: discrete, with fewer than {NUM_BINS} images for a value "
            "(`continuous` names factors that are not)"
        )
    if signs := [factor.name for factor in numbers if factor.values[factor.values < 0].tolist() == [-1]]:
        yield f"{', '.join(signs)}: -1 is a value; write NaN where a label is missing"
    for factor in numbers:
        if (far := _far_value(factor)) is not None:
            yield f"{factor.name}: {far:g} is a value, far from all others; write NaN where a label is missing"
    for factor in factors:
        if not factor.labels.are_numbers and 2 * sum(map(is_number, factor.values)) > len(factor.values):
            yield f"{factor.name}: text, for {_no_number(factor.labels)!r}; write NaN where a label is missing"


def _is_sparse(factor: _Factor) -> bool:
    """Fewer images for a value than metrics have bins for their codes: they take noise for information."""
    return len(factor.values) > NUM_BINS and factor.counts.sum() < NUM_BINS * len(factor.values)


def _far_value(factor: _Factor) -> float | None:
    """A smallest or largest value that several images have and that is far from all others, as -9999 is from angles."""
    if len(factor.values) < 3:
        return None
    steps = np.diff(factor.values.astype(np.float64))
    for end in (0, -1):
        if factor.counts[end] > 1 and steps[end] > _FAR * (steps.sum() - steps[end]):
            return float(factor.values[end])
    return None


def _no_number(labels: LabelValues) -> str:
    return next(str(label) for label in labels.values[labels.is_given] if not is_number(label))
