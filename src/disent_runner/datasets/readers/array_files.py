"""Arrays inside of npz and HDF5 files, read a block at a time: none is held whole, and nothing pickled is opened."""

import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO

import h5py
import numpy as np
from numpy.typing import DTypeLike

from disent_runner.datasets.card import in_blocks
from disent_runner.machine.files import refuse_growth
from disent_runner.machine.hdf5 import own_dataset

ROWS_PER_BLOCK = 1024
BYTES_PER_BLOCK = 2**26
"""Whichever is less; a row at least."""


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array in a file. `blocks()` reads it along its first axis, each time from the start; a single value as
    an axis of one.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    blocks: Callable[[], Iterator[np.ndarray]]

    def check(self, shape: tuple[int | None, ...], dtype: DTypeLike = np.uint8) -> None:
        """ValueError where the array is of another type or shape, None being any length."""
        fits = len(shape) == len(self.shape) and all(
            wanted in (None, length) for wanted, length in zip(shape, self.shape, strict=True)
        )
        if not fits or self.dtype != dtype:
            expected = ", ".join("any" if length is None else str(length) for length in shape)
            raise ValueError(
                f"{self.path}: {self.name} is {self.dtype} of shape {self.shape}, "
                f"expected {np.dtype(dtype)} of shape ({expected})"
            )


def npz_array(path: Path, name: str) -> StoredArray:
    """A member of an npz file, unzipped as it is read.

    ValueError for one that cannot be read in pieces; KeyError where there is none, BadZipFile or EOFError where the
    file is damaged.
    """
    with _npy_member(path, name) as (_, shape, dtype):
        return StoredArray(path, name, shape, dtype, lambda: _npy_blocks(path, name))


def hdf5_array(path: Path, name: str) -> StoredArray:
    """A data set of an HDF5 file, read in whole chunks: none is decompressed twice.

    ValueError for something else of that name; KeyError where there is nothing, OSError where the file is damaged.
    """
    with _hdf5_dataset(path, name) as array:
        return StoredArray(path, name, array.shape, array.dtype, lambda: _hdf5_blocks(path, name))


@contextmanager
def _npy_member(path: Path, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
    """The member behind its header, and what the header says."""
    with ExitStack() as opened:
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
            refuse_growth_of(path, [name])
            member = opened.enter_context(archive.open(f"{name}.npy"))
            shape, dtype = _header(member)
        except (ValueError, RuntimeError, SyntaxError, TokenError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{path}: {name} cannot be read ({reason}); download it again") from error
        yield member, shape, dtype


def refuse_growth_of(path: Path, names: Sequence[str]) -> None:
    """As `refuse_growth`, of those of these arrays that an npz file holds; BadZipFile where it is none."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.removesuffix(".npy") in names:
                refuse_growth(member.filename, member.file_size, member.compress_size)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"it is stored in format {version}, expected (1, 0)")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(member)
    if is_fortran or dtype.hasobject:
        stored = "in Fortran order" if is_fortran else "as pickled objects"
        raise ValueError(f"it is stored {stored}, expected plain numbers in C order")
    return shape, dtype


def _npy_blocks(path: Path, name: str) -> Iterator[np.ndarray]:
    with _npy_member(path, name) as (member, shape, dtype):
        num_rows, *row = shape or (1,)
        row_bytes = math.prod(row) * dtype.itemsize
        step = _rows_per_block(row_bytes)
        for start in range(0, num_rows, step):
            count = min(step, num_rows - start)
            content = member.read(count * row_bytes)
            if len(content) < count * row_bytes:
                raise EOFError(f"{name} ends within row {start + len(content) // row_bytes}")
            yield np.frombuffer(content, dtype).reshape(count, *row)
        if member.read(1):  # which also compares the member's checksum
            raise ValueError(f"{path}: {name} goes on after its {num_rows} rows")


@contextmanager
def _hdf5_dataset(path: Path, name: str) -> Iterator[h5py.Dataset]:
    try:
        with h5py.File(path, "r", locking=False) as file:
            try:
                array = own_dataset(file, name)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            yield array
    except RuntimeError as error:
        raise OSError(f"{name} is damaged, {error}") from error


def _hdf5_blocks(path: Path, name: str) -> Iterator[np.ndarray]:
    with _hdf5_dataset(path, name) as array:
        if not array.shape:
            yield np.atleast_1d(array[()])
            return
        most = _rows_per_block(math.prod(array.shape[1:]) * array.dtype.itemsize)
        step = array.chunks[0] if array.chunks else most
        for start in range(0, len(array), step):
            yield from in_blocks(array[start : start + step], most)


def _rows_per_block(row_bytes: int) -> int:
    return max(1, min(ROWS_PER_BLOCK, BYTES_PER_BLOCK // max(1, row_bytes)))
