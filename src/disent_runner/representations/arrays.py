"""Representations from arrays of other people: any codes, and factors that are indices, numbers or names."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from disent_runner.datasets.labels.any_labels import NUM_BINS, not_read, value_indices
from disent_runner.datasets.labels.array_names import called, told
from disent_runner.datasets.labels.names import factor_names as checked_names
from disent_runner.datasets.readers.array_files import refuse_growth_of
from disent_runner.representations.representation import Representation

_ARRAYS = ("codes", "factors", "logvar", "factor_names")
_EXPECTED = "an npz file of plain arrays, as np.savez('FILE.npz', codes=codes, factors=factors) writes"
_KINDS = {b"\x89HDF": "an HDF5 file", b"\x93NUMPY": "an npy file of one array", b"\x80": "a pickle"}
"""By how files begin."""


@dataclass(frozen=True)
class Table:
    """A representation, into how many bins of equal width a factor was put, by name, and remarks on the labels."""

    representation: Representation
    binned: Mapping[str, int]
    remarks: tuple[str, ...]


def represent(
    codes: Any,
    factors: Any = None,
    *,
    logvar: Any = None,
    factor_names: str | Sequence[str] | None = None,
    continuous: Sequence[str] | None = None,
    discrete: Sequence[str] | None = None,
) -> Table:
    """A representation of any arrays: codes (N, D), factors (N, K), (N,) or None, logvar (N, D) in nats.

    Factors become value indices as `disent_runner.datasets.labels.any_labels.value_indices` says, which takes the names
    of `continuous` and `discrete` ones; masked labels are missing.

    Raises:
        ValueError: arrays that do not belong together, or codes that are no finite numbers, or masked.
    """
    codes = _floats("codes", codes)
    if codes.ndim != 2 or codes.size == 0:
        raise ValueError(f"codes must be (N, D), got shape {codes.shape}")
    columns = _columns(factors, len(codes))
    names = checked_names(_names(factors, len(columns)) if factor_names is None else factor_names, len(columns))
    labels = value_indices(columns, names, num_images=len(codes), continuous=continuous, discrete=discrete)
    representation = Representation(
        codes=codes,
        factors=labels.indices,
        factor_sizes=labels.sizes,
        logvar=None if logvar is None else _floats("logvar", logvar),
        factor_names=tuple(names),
    )
    binned = [name for name, is_binned in zip(names, labels.are_binned, strict=True) if is_binned]
    return Table(representation, dict.fromkeys(binned, NUM_BINS), labels.remarks)


def read_table(path: Path, *, continuous: Sequence[str] | None = None, discrete: Sequence[str] | None = None) -> Table:
    """A representation from an npz file with `codes`, and where there are any `factors`, `logvar`, `factor_names`; the
    first three may have other names, as `called` says.

    Raises:
        ValueError: a file that is no npz, lacks codes or holds pickled objects (never loaded: they can run code).
        FileNotFoundError: no such file.
    """
    if path.is_file() and not zipfile.is_zipfile(path):
        raise ValueError(f"representation={path} is {_kind_of(path)}, expected {_EXPECTED}")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = list(arrays)
            meant, remarks = _meant(path, arrays, names)
            refuse_growth_of(path, list(meant.values()))
            stored = {ours: arrays[name] for ours, name in meant.items()}
    except FileNotFoundError:
        raise FileNotFoundError(f"representation={path}: no such file") from None
    except (ValueError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, MemoryError) as error:
        # NumPy advises to allow what would run code
        reason = "one of them is of Python objects" if "allow_pickle" in str(error) else str(error)
        raise ValueError(f"representation={path} must be {_EXPECTED}: {reason}") from None
    unread = [name for name in names if name not in meant.values()]
    if "codes" not in stored:
        raise ValueError(
            f"representation={path} must hold an array `codes` (N, D), got {', '.join(names) or 'nothing'}"
        )
    facts: Any = {name: stored.get(name) for name in ("logvar", "factor_names")}
    try:
        table = represent(stored["codes"], stored.get("factors"), **facts, continuous=continuous, discrete=discrete)
        return replace(table, remarks=(*table.remarks, *remarks, *not_read(unread, _ARRAYS)))
    except ValueError as error:
        raise ValueError(f"representation={path}: {error}") from None


def _kind_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(512)
    known = [kind for sign, kind in _KINDS.items() if start.startswith(sign)]
    is_text = start.isascii() and b"\0" not in start
    return next(iter(known), "empty" if not start else "a text file" if is_text else "a file of another format")


def _meant(path: Path, arrays: Mapping[str, np.ndarray], names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The name in the file of each of our arrays that is there, and remarks on those that are called otherwise."""
    codes = called("codes", names)

    def fits(name: str) -> bool:
        refuse_growth_of(path, [name, *([codes] if codes else [])])
        return codes is not None and arrays[name].shape[:1] == arrays[codes].shape[:1]

    meant = {"codes": codes, **{ours: called(ours, names, fits) for ours in ("factors", "logvar")}}
    remarks = [*told("codes", names), *told("factors", names, fits), *told("logvar", names, fits)]
    there = {ours: name for ours, name in meant.items() if name is not None}
    return there | ({"factor_names": "factor_names"} if "factor_names" in names else {}), remarks


def _floats(name: str, values: Any) -> np.ndarray:
    array = _array(values)
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise ValueError(f"{name} must be real numbers, got {array.dtype}")
    if np.ma.is_masked(array):
        raise ValueError(f"{name} hold {np.ma.count_masked(array)} masked values; leave out their rows")
    array = np.ma.getdata(array)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _array(values: Any) -> np.ndarray:
    """Also of a tensor that has a gradient or lies on a GPU; a mask is kept."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values  # which NumPy lacks
    return np.asanyarray(values)


def _columns(factors: Any, num_images: int) -> list[np.ndarray]:
    if factors is None:
        return []
    if hasattr(factors, "columns"):  # a data frame, each column with a type of its own
        table = [_array(factors.iloc[:, column]) for column in range(factors.shape[1])]
        shape = factors.shape
    else:
        array = _array(factors)
        shape = array.shape
        table = list(array.reshape(shape[0], -1).T) if array.ndim in (1, 2) else []
    if len(shape) not in (1, 2) or shape[0] != num_images:
        raise ValueError(f"factors must be (N, K) or (N,) with the {num_images} rows of codes, got shape {shape}")
    return table


def _names(factors: Any, count: int) -> list[str]:
    """Those of a data frame's columns, or of a series; else numbers."""
    if hasattr(factors, "columns"):
        return [str(name) for name in factors.columns]
    name = getattr(factors, "name", None)
    return [str(name)] if name is not None and count == 1 else [f"factor_{k}" for k in range(count)]
