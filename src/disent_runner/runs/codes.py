"""codes.h5: posterior means, log variances and factor values of the evaluated images, written once and resumed."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from jaxtyping import Integer

from disent_runner.machine.hdf5 import own_dataset

FILE = "codes.h5"
_UNFINISHED = f".{FILE}.partial"
"""Where a pass is under way, or was stopped."""
_CODES, _CHECK = ("mean", "logvar"), "check"
_LIBVER = ("v108", "v108")
"""The oldest format whose metadata have checksums, and which a kill does not leave marked as being written."""
_READ_WHOLE = 2**20
"""Bytes up to which all rows are read, to take some of them."""

log = logging.getLogger(__name__)

Codes = dict[str, np.ndarray]
"""`mean` (N, D), and `logvar` (N, D) in nats unless they are point codes."""


class Posteriors(NamedTuple):
    """Some rows of a run's codes.h5, and what they are of."""

    mean: np.ndarray
    logvar: np.ndarray
    images: np.ndarray
    """their indices in the data set"""
    num_images: int
    data_hash: str
    step: int


def read_codes(folder: Path, origin: Mapping[str, Any]) -> Codes | None:
    """All codes, where the file is of this origin; None where it is not, is missing or damaged."""
    path = folder / FILE
    if not _is_from(path, origin):
        return None
    try:
        with h5py.File(path) as file:
            arrays = {name: np.asarray(own_dataset(file, name)) for name in (*_CODES, "index", _CHECK) if name in file}
        _check_rows(path, np.arange(len(arrays["mean"])), arrays)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        log.warning("%s cannot be used (%s); its images are encoded again", path, " ".join(str(error).split()))
        return None
    return {name: arrays[name] for name in _CODES if name in arrays}


def read_posteriors(folder: Path, rows: Callable[[int], Integer[np.ndarray, " row"]]) -> Posteriors:
    """The rows that `rows` chooses of so many images; of a large file without reading the rest.

    Raises OSError, KeyError, ValueError or IndexError where the folder has no such file, or a damaged one.
    """
    path = folder / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")  # a pipe would be waited for
    with h5py.File(path) as file:
        facts: Any = file.attrs
        count = int(facts["num_images"])
        chosen = rows(count)
        arrays = {name: _read(path, own_dataset(file, name), chosen) for name in (*_CODES, "index")}
        if _CHECK in file:
            arrays[_CHECK] = _read(path, own_dataset(file, _CHECK), chosen)
        _check_rows(path, chosen, arrays)
        mean, logvar, images = (arrays[name] for name in (*_CODES, "index"))
        return Posteriors(mean, logvar, images, count, str(facts["data_hash"]), int(facts["step"]))


def rows_done(folder: Path, origin: Mapping[str, Any]) -> int:
    """Rows that an unfinished pass left; 0 without one, or where it was of another origin."""
    path = folder / _UNFINISHED
    if not _is_from(path, origin):
        return 0
    with h5py.File(path) as file:
        return int(np.asarray(file["done"])[0])


def begin(
    folder: Path, origin: Mapping[str, Any], first: Mapping[str, np.ndarray], tables: Mapping[str, np.ndarray]
) -> None:
    """A file for codes like the `first` rows of them, with its full size, so that nothing but numbers changes in it
    later: a kill leaves it readable. `tables`: what stands beside the codes, `index` (N,) among them.
    """
    path, num_images = folder / _UNFINISHED, len(tables["index"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with h5py.File(path, "w", libver=_LIBVER) as file:
        for name, codes in first.items():
            file.create_dataset(name, data=np.zeros((num_images, codes.shape[1]), dtype=np.float32))
        for name, table in tables.items():
            file.create_dataset(name, data=table)
        file.create_dataset(_CHECK, data=np.zeros(num_images, dtype=np.uint32))
        file.create_dataset("done", data=np.zeros(1, dtype=np.int64))
        file.attrs.update(origin)
        _to_disk(file)


@contextmanager
def filling(folder: Path) -> Iterator[Callable[..., None]]:
    """What writes codes from a row on, `write(row, codes, is_saved=True)`, and then vouches for all up to them."""
    with h5py.File(folder / _UNFINISHED, "r+") as file:
        datasets: dict[str, Any] = dict(file)

        def write(row: int, codes: Mapping[str, np.ndarray], *, is_saved: bool) -> None:
            last = row + len(codes["mean"])
            arrays = {name: np.asarray(values, np.float32) for name, values in codes.items()}
            for name, values in arrays.items():
                datasets[name][row:last] = values
            arrays["index"] = datasets["index"][row:last]
            datasets[_CHECK][row:last] = _row_checks(np.arange(row, last), arrays)
            if is_saved:
                _to_disk(file)  # the codes before the count that vouches for them
                datasets["done"][0] = last
                _to_disk(file)

        yield write


def write_codes(folder: Path, origin: Mapping[str, Any], codes: Codes, tables: Mapping[str, np.ndarray]) -> None:
    """The whole file at once: see `begin`."""
    begin(folder, origin, codes, tables)
    with filling(folder) as write:
        write(0, codes, is_saved=True)
    finish(folder)


def finish(folder: Path) -> None:
    """Give the file its name."""
    (folder / _UNFINISHED).replace(folder / FILE)


def _check_rows(path: Path, rows: np.ndarray, arrays: Mapping[str, np.ndarray]) -> None:
    """OSError where a row is not as it was written; files of earlier versions do not tell."""
    if _CHECK in arrays:
        wrong = np.flatnonzero(_row_checks(rows, arrays) != arrays[_CHECK])
        if len(wrong):
            raise OSError(f"{path} is damaged: row {rows[wrong[0]]} is not as it was written")


def _row_checks(rows: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """A number of 32 bits for each row, which tells every change of one of its words, and of more of them nearly all.

    The words times odd numbers, added up: a factor that is odd loses nothing modulo 2³². Only the rows that are read
    need to be, which a checksum of blocks of the file would not allow.
    """
    checks = (rows.astype(np.uint32) + 1) * np.uint32(0xC2B2AE35)
    first = 0
    for name in (*_CODES, "index"):
        if name in arrays:
            words = np.ascontiguousarray(arrays[name]).reshape(len(rows), -1).view(np.uint32)
            last = first + words.shape[1]
            checks += words @ (np.arange(first, last, dtype=np.uint32) * np.uint32(0x3C6EF362) + np.uint32(0x85EBCA6B))
            first = last
    return checks


def _is_from(path: Path, origin: Mapping[str, Any]) -> bool:
    if not path.is_file():
        return False
    try:
        with h5py.File(path) as file:
            return all(file.attrs.get(name) == value for name, value in origin.items())
    except (OSError, KeyError, ValueError, RuntimeError):  # missing, or damaged: made again
        return False


def _read(path: Path, dataset: Any, rows: np.ndarray) -> np.ndarray:
    offset = dataset.id.get_offset()
    if offset is None or dataset.nbytes < _READ_WHOLE:
        return dataset[()][rows]
    return np.memmap(path, dtype=dataset.dtype, mode="r", offset=offset, shape=dataset.shape)[rows]


def _to_disk(file: h5py.File) -> None:
    file.flush()
    os.fsync(file.id.get_vfd_handle())
