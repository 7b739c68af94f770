"""The official dSprites files (github.com/google-deepmind/dsprites-dataset), read block by block as one bit a pixel.

Only the images are read: the order of the factors is that of `disent_runner.rendering.sprites`, fixed by the checked
hash, and the pickled `metadata` of the npz stays closed.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import UInt8

from disent_runner.rendering.sprites import IMAGE_SIDE

IMAGES_PER_BLOCK = 1024


@dataclass(frozen=True)
class OfficialFile:
    """A file by name, its published hash, and its reader: `read(path, num_images)` gives packed blocks of images."""

    name: str
    algorithm: str
    digest: str
    read: Callable[[Path, int], Iterator[np.ndarray]]

    def checked_blocks(self, path: Path, num_images: int) -> Iterator[UInt8[np.ndarray, "block 512"]]:
        """The images in packed blocks, once the hash is found right. ValueError where file or content is wrong."""
        try:
            self._check_digest(path)
            yield from self.read(path, num_images)
        except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(
                f"{path} cannot be read ({error}); download it again, or use dataset.source=rendered"
            ) from error

    def _check_digest(self, path: Path) -> None:
        with path.open("rb") as file:
            seen = hashlib.file_digest(file, partial(hashlib.new, self.algorithm, usedforsecurity=False)).hexdigest()
        if seen != self.digest:
            raise ValueError(
                f"{path} ({path.stat().st_size} bytes) has {self.algorithm} {seen}, expected {self.digest}; "
                f"download it again, or use dataset.source=rendered"
            )


def read_npz(path: Path, num_images: int) -> Iterator[UInt8[np.ndarray, "block 512"]]:
    """Packed images of the member `imgs` of an npz file, unzipped a block at a time."""
    with zipfile.ZipFile(path) as archive, archive.open("imgs.npy") as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise ValueError(f"{path}: imgs is stored in format {version}, expected (1, 0)")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(member)
        _check_layout(path, shape=shape, dtype=dtype, num_images=num_images)
        if is_fortran:
            raise ValueError(f"{path}: imgs is stored in Fortran order, expected C order")
        for start in range(0, num_images, IMAGES_PER_BLOCK):
            count = min(IMAGES_PER_BLOCK, num_images - start)
            pixels = member.read(count * IMAGE_SIDE**2)
            if len(pixels) < count * IMAGE_SIDE**2:
                raise EOFError(f"imgs ends within image {start + len(pixels) // IMAGE_SIDE**2}")
            yield np.packbits(np.frombuffer(pixels, np.uint8).reshape(count, -1), axis=1)


def read_hdf5(path: Path, num_images: int) -> Iterator[UInt8[np.ndarray, "block 512"]]:
    """Packed images of the data set `imgs` of an HDF5 file, in slabs of whole chunks: none is decompressed twice."""
    with h5py.File(path, "r", locking=False) as file:
        images = file["imgs"]
        if not isinstance(images, h5py.Dataset):
            raise ValueError(f"{path}: imgs is {images}, expected a data set")
        _check_layout(path, shape=images.shape, dtype=images.dtype, num_images=num_images)
        step = images.chunks[0] if images.chunks else IMAGES_PER_BLOCK
        for start in range(0, num_images, step):
            yield np.packbits(np.asarray(images[start : start + step]).reshape(-1, IMAGE_SIDE**2), axis=1)


def _check_layout(path: Path, *, shape: tuple[int, ...], dtype: np.dtype, num_images: int) -> None:
    expected = (num_images, IMAGE_SIDE, IMAGE_SIDE)
    if shape != expected or dtype != np.uint8:
        raise ValueError(f"{path}: imgs is {dtype} of shape {shape}, expected uint8 of shape {expected}")


NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"
OFFICIAL_FILES = (
    OfficialFile(f"{NAME}.npz", "md5", "7da33b31b13a06f4b04a70402ce90c2e", read_npz),
    OfficialFile(
        f"{NAME}.hdf5", "sha256", "729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb", read_hdf5
    ),
)
"""In order of preference."""
