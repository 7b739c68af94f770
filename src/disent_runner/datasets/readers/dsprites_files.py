"""The official dSprites files (github.com/google-deepmind/dsprites-dataset), read block by block as one bit a pixel.

Only the images are read: the order of the factors is that of `disent_runner.rendering.sprites`, fixed by the checked
hash, and the pickled `metadata` of the npz stays closed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from disent_runner.datasets.readers.array_files import StoredArray, hdf5_array, npz_array
from disent_runner.rendering.sprites import IMAGE_SIDE

Reader = Callable[[Path, int], Iterator[np.ndarray]]
"""(path, number of images) -> packed blocks of images. ValueError or EOFError where the content is wrong."""


def read_npz(path: Path, num_images: int) -> Iterator[UInt8[np.ndarray, "block 512"]]:
    """Packed images of the member `imgs` of an npz file."""
    return _packed(npz_array(path, "imgs"), num_images)


def read_hdf5(path: Path, num_images: int) -> Iterator[UInt8[np.ndarray, "block 512"]]:
    """Packed images of the data set `imgs` of an HDF5 file."""
    return _packed(hdf5_array(path, "imgs"), num_images)


def _packed(images: StoredArray, num_images: int) -> Iterator[UInt8[np.ndarray, "block 512"]]:
    images.check((num_images, IMAGE_SIDE, IMAGE_SIDE))
    return (np.packbits(block.reshape(len(block), -1), axis=1) for block in images.blocks())
