"""Labels of any type as numbers or text, and where one is given: one rule for every type."""

from typing import Any, NamedTuple

import numpy as np

MISSING_TEXTS = ("", "nan", "NaN", "NAN", "None", "<NA>", "NaT")
"""How Python, NumPy and pandas write a missing label as text."""
ROUNDING = 1e-6
"""Real numbers closer than this, as a fraction of their size and of their range, are one value: 0.3 and 0.1 + 0.2."""
_APART = 100
"""How many times farther from each other than that the values are."""


class LabelValues(NamedTuple):
    """One factor's labels (image,), numbers or text, and where one is given."""

    values: np.ndarray
    is_given: np.ndarray

    @property
    def are_numbers(self) -> bool:
        return self.values.dtype.kind != "U"


def label_values(name: str, column: Any) -> LabelValues:
    """The labels of one factor: numbers where every one that is given is a number, be it written as text, else text.

    A label is missing where it is masked, NaN, infinite, None, pandas' NA or empty (blanks around a text do not count),
    also where that is written as text, and where it is -1 and no other label is negative. -1 is a value beside other
    negative labels, and where all others are 0 or 1.

    Raises ValueError for what is neither real numbers, times nor text.
    """
    labels, masked = np.ma.getdata(column), np.ma.getmaskarray(column)
    kind = labels.dtype.kind
    if kind in "OSU":
        values, is_given = _of_texts(labels)
    elif kind in "mM":
        values, is_given = labels.astype(np.int64), ~np.isnat(labels)
    elif kind in "biuf":
        values = labels.astype({"i": np.int64, "f": np.float64}.get(kind, np.uint64))
        is_given = np.isfinite(values)
    else:
        raise ValueError(f"{name}: its labels are {labels.dtype}, expected real numbers or text")
    is_given = is_given & ~masked
    return LabelValues(values, is_given if values.dtype.kind == "U" else is_given & ~_is_minus_one(values, is_given))


def _of_texts(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    texts = np.char.strip(_texts(labels))
    is_given = ~np.isin(texts, MISSING_TEXTS)
    numbers = np.full(len(texts), np.nan)
    try:
        numbers[is_given] = texts[is_given].astype(np.float64)
    except ValueError:
        return texts, is_given
    return numbers, np.isfinite(numbers)


def _texts(labels: np.ndarray) -> np.ndarray:
    if labels.dtype.kind == "O":
        return np.array([_text(label) for label in labels], dtype=np.str_)
    # Latin-1, so that no two labels become one, whatever the file's encoding
    return np.char.decode(labels, "latin-1") if labels.dtype.kind == "S" else labels


def _text(label: Any) -> str:
    if label is np.ma.masked:
        return ""
    return label.decode("latin-1") if isinstance(label, bytes) else str(label)


def _is_minus_one(values: np.ndarray, is_given: np.ndarray) -> np.ndarray:
    """Where -1 says that a label is missing."""
    is_negative = is_given & (values < 0)
    others = values[is_given & ~is_negative]
    return is_negative & ((values[is_negative] == -1).all() and not np.isin(others, (0, 1)).all())


def distinct_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values in order, and the rank of each value's; real numbers that differ by rounding are one."""
    distinct, ranks = np.unique(values, return_inverse=True)
    if values.dtype.kind != "f" or len(distinct) < 3 or (distinct == np.round(distinct)).all():
        return distinct, ranks
    size = np.abs(distinct)
    tolerance = ROUNDING * np.minimum(np.maximum(size, np.median(size)), distinct[-1] - distinct[0])
    is_first = np.concatenate([[True], np.diff(distinct) > tolerance[1:]])
    first, group = distinct[is_first], np.cumsum(is_first) - 1
    within = distinct - first[group]
    # else they lie dense, and what is close to its neighbour is so by chance
    are_apart = len(first) > 1 and (within <= tolerance).all() and np.diff(first).min() > _APART * within.max()
    return (first, group[ranks]) if are_apart else (distinct, ranks)
