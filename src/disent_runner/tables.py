"""Representations from arrays of other people: any codes, and factors that are indices, numbers or names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from disent_runner.representation import UNKNOWN, Representation

MOST_VALUES = 256
"""A factor of real numbers with more distinct ones is continuous, and binned."""
NUM_BINS = 20


@dataclass(frozen=True)
class Table:
    """A representation, and which factors were binned into how many equal-width bins, by name."""

    representation: Representation
    binned: Mapping[str, int]


def represent(
    codes: Any,
    factors: Any = None,
    *,
    logvar: Any = None,
    factor_names: Sequence[str] | None = None,
    num_bins: int = NUM_BINS,
) -> Table:
    """A representation of any arrays: codes (N, D), factors (N, K), (N,) or None, logvar (N, D) in nats.

    Whole numbers of a factor become the ranks of its distinct values, as do other values (text, few real numbers). Real
    numbers with more than `MOST_VALUES` distinct ones fall into `num_bins` equal-width bins. A label is missing where
    it is NaN, None or empty text, or where it is -1 among whole numbers that are otherwise not negative.

    Raises:
        ValueError: arrays that do not belong together, or codes that are no finite numbers.
    """
    codes = _floats("codes", codes)
    if codes.ndim != 2 or codes.size == 0:
        raise ValueError(f"codes must be (N, D), got shape {codes.shape}")
    columns = _columns(factors, len(codes))
    names = [f"factor_{k}" for k in range(len(columns))] if factor_names is None else list(factor_names)
    if len(names) != len(columns):
        raise ValueError(f"factor_names must name {len(columns)} factors, got {len(names)}: {', '.join(names)}")
    binned = {name: num_bins for name, column in zip(names, columns, strict=True) if _is_continuous(column)}
    values = [
        _bin(column, num_bins) if name in binned else _ranks(column)
        for name, column in zip(names, columns, strict=True)
    ]
    representation = Representation(
        codes=codes,
        factors=np.stack(values, axis=1) if values else np.zeros((len(codes), 0), dtype=np.int64),
        factor_sizes=tuple(max(1, int(column.max(initial=0)) + 1) for column in values),
        logvar=None if logvar is None else _floats("logvar", logvar),
        factor_names=tuple(names),
    )
    return Table(representation, binned)


def read_table(path: Path) -> Table:
    """A representation from an npz file with `codes`, and where there are any `factors`, `logvar`, `factor_names`.

    Raises:
        ValueError: a file that is no npz, lacks codes or holds pickled objects (never loaded: they can run code).
        FileNotFoundError: no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ("codes", "factors", "logvar", "factor_names") if name in arrays}
            names = list(arrays)
    except FileNotFoundError:
        raise FileNotFoundError(f"representation={path}: no such file") from None
    except (ValueError, OSError, EOFError, TypeError, AttributeError) as error:
        raise ValueError(
            f"representation={path} must be an npz file of plain arrays (no pickled objects): {error}"
        ) from None
    if "codes" not in found:
        raise ValueError(
            f"representation={path} must hold an array `codes` (N, D), got {', '.join(names) or 'nothing'}"
        )
    factor_names = [str(name) for name in found["factor_names"]] if "factor_names" in found else None
    try:
        return represent(found["codes"], found.get("factors"), logvar=found.get("logvar"), factor_names=factor_names)
    except ValueError as error:
        raise ValueError(f"representation={path}: {error}") from None


def _floats(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise ValueError(f"{name} must be real numbers, got {array.dtype}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _columns(factors: Any, num_images: int) -> list[np.ndarray]:
    if factors is None:
        return []
    table = np.asarray(factors)
    if table.ndim not in (1, 2) or len(table) != num_images:
        raise ValueError(f"factors must be (N, K) or (N,) with the {num_images} rows of codes, got shape {table.shape}")
    return list(table.reshape(num_images, -1).T)


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
    if np.issubdtype(column.dtype, np.floating):
        return np.isfinite(column)
    if np.issubdtype(column.dtype, np.signedinteger):
        return column != UNKNOWN if column.min() == UNKNOWN else np.ones(len(column), dtype=bool)
    if column.dtype.kind in "US":
        return np.char.str_len(column) > 0
    return np.array([value is not None and value == value for value in column], dtype=bool)
