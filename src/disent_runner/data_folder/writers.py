"""Compressed npz and HDF5 files written a block of images at a time."""

import io
import math
import pickle
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, final

import h5py
import numpy as np

_BYTES_PER_CHUNK = 2**14
"""Images that are read one by one are decompressed by the chunk."""


def write_npz(
    path: Path, name: str, shape: tuple[int, ...], blocks: Iterable[np.ndarray], beside: Mapping[str, np.ndarray]
) -> None:
    """The bytes of the blocks as the array of that name and shape, and the arrays beside it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        with _member(archive, name) as member:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            for block in blocks:
                member.write(block.data)
        for key, array in beside.items():
            with _member(archive, key.replace("/", "_")) as member:
                if array.dtype.hasobject:
                    _write_objects(member, array)
                else:
                    np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def write_hdf5(
    path: Path, name: str, shape: tuple[int, ...], blocks: Iterable[np.ndarray], beside: Mapping[str, np.ndarray]
) -> None:
    """As `write_npz`, in chunks of whole images; without arrays of objects, which HDF5 has not."""
    images_per_chunk = max(1, _BYTES_PER_CHUNK // math.prod(shape[1:]))
    chunks = (min(shape[0], images_per_chunk), *shape[1:])
    with _LateErrors(path, "w+b") as plain, h5py.File(plain, "w") as file:
        images = file.create_dataset(name, shape, np.uint8, chunks=chunks, compression="gzip")
        start = 0
        for block in blocks:
            images[start : start + len(block)] = block
            start += len(block)
            plain.check()
        for key, array in beside.items():
            if array.dtype.kind == "U":
                file.create_dataset(key, data=array.astype(object), dtype=h5py.string_dtype())
            elif not array.dtype.hasobject:
                file.create_dataset(key, data=array, compression="gzip" if array.ndim else None)
    plain.check()


@final
class _LateErrors(io.FileIO):
    """A file whose first failed write is raised by `check` and nowhere else: HDF5 crashes after one, at the exit."""

    error: OSError | None = None

    def write(self, content: Any, /) -> int:
        left = memoryview(content).cast("B")
        size = len(left)
        while len(left) > 0 and self.error is None:
            try:
                left = left[super().write(left) :]
            except OSError as error:
                self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = error
            return 0

    def check(self) -> None:
        if self.error is not None:
            raise self.error


Writer = Callable[[Path, str, tuple[int, ...], Iterable[np.ndarray], Mapping[str, np.ndarray]], None]
WRITERS: Mapping[str, Writer] = {".npz": write_npz, ".h5": write_hdf5, ".hdf5": write_hdf5}


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    member = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that the same images are the same file
    member.compress_type = zipfile.ZIP_DEFLATED
    return archive.open(member, "w", force_zip64=True)


def _write_objects(member: IO[bytes], array: np.ndarray) -> None:
    """Pickled so that old programs can read it: in a protocol of Python 2, with the name that NumPy 1 had inside."""
    np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
    member.write(pickle.dumps(array, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
