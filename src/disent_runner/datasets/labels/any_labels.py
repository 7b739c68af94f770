"""Labels as people have them (indices, numbers, names, some missing) as value indices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from disent_runner.datasets.labels.label_table import UNKNOWN

MOST_VALUES = 256
"""A factor of real numbers with more distinct ones is continuous, and binned."""
NUM_BINS = 20


@dataclass(frozen=True, eq=False)
class IndexedLabels:
    """Value indices (image, factor), UNKNOWN where a label is missing, the number of values of each factor, and
    whether they are bins of a continuous one.
    """

    indices: np.ndarray
    sizes: tuple[int, ...]
    are_binned: tuple[bool, ...]


def value_indices(columns: Sequence[np.ndarray], *, num_images: int, num_bins: int = NUM_BINS) -> IndexedLabels:
    """The labels (num_images,) of each factor as value indices.

    Whole numbers of a factor become the ranks of its distinct values, as do other values (text, few real numbers). Real
    numbers with more than `MOST_VALUES` distinct ones fall into `num_bins` equal-width bins. A label is missing where
    it is NaN, None or empty text, or where it is -1 among whole numbers that are otherwise not negative.
    """
    are_binned = tuple(_is_continuous(column) for column in columns)
    indices = np.zeros((num_images, len(columns)), np.int64)
    for k, (column, is_binned) in enumerate(zip(columns, are_binned, strict=True)):
        indices[:, k] = _bin(column, num_bins) if is_binned else _ranks(column)
    sizes = tuple(max(1, int(column.max(initial=0)) + 1) for column in indices.T)
    return IndexedLabels(indices, sizes, are_binned)


def _is_continuous(column: np.ndarray) -> bool:
    if not np.issubdtype(column.dtype, np.floating):
        return False
    known = column[np.isfinite(column)]
    return bool((known != np.round(known)).any()) and len(np.unique(known)) > MOST_VALUES


def _bin(column: np.ndarray, num_bins: int) -> np.ndarray:
    known = np.isfinite(column)
    edges = np.linspace(column[known].min(), column[known].max(), num_bins + 1)[:-1]
    return np.where(known, np.searchsorted(edges, column, side="right") - 1, UNKNOWN)


def _ranks(column: np.ndarray) -> np.ndarray:
    """Ranks of a factor's distinct values; ranks, because labels that start at 1 or leave gaps are common."""
    known = _known(column)
    ranks = np.full(len(column), UNKNOWN, dtype=np.int64)
    ranks[known] = np.unique(column[known], return_inverse=True)[1]
    return ranks


def _known(column: np.ndarray) -> np.ndarray:
    """Where a label is given. -1 means missing only where it is the one negative value: an angle may be -30."""
    if column.dtype.kind in "bu":
        return np.ones(len(column), dtype=bool)
    if np.issubdtype(column.dtype, np.floating):
        return np.isfinite(column)
    if np.issubdtype(column.dtype, np.signedinteger):
        return column != UNKNOWN if column.min() == UNKNOWN else np.ones(len(column), dtype=bool)
    if column.dtype.kind in "US":
        return np.char.str_len(column) > 0
    return np.array([value is not None and value == value for value in column], dtype=bool)
