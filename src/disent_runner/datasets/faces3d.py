"""3D Faces (after Paysan et al. 2009): a face model seen from all sides, in a file of your own.

The renderings that papers show were never published, and the licence of the face model forbids it. A laboratory that
has the model writes its own `faces3d.h5`, an HDF5 file with one data set `images` of bytes, 255 white, in the shape
(identity, azimuth, elevation, light, height, width): 50 x 21 x 11 x 11 images of 64 x 64 pixels in the papers, but any
numbers will do. With `renderings` a numpy array of that shape:

    with h5py.File("faces3d.h5", "w") as file:
        file.create_dataset("images", data=renderings, dtype="uint8")
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import UInt8

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.factor_space import FactorSpace

FILE = PublishedFile("faces3d.h5")
FACTORS = ("identity", "azimuth", "elevation", "light")
BYTES_PER_BLOCK = 2**25


def card() -> Card:
    return Card(
        name="faces3d",
        title="3D Faces",
        licence="that of the face model",
        homepage="https://faces.dmi.unibas.ch/bfm",
        origins=(Origin(OFFICIAL, _read, files=(FILE,), hint="use its stand-in, dataset=toyfaces"),),
    )


def _read(paths: Sequence[Path]) -> Contents:
    path = paths[0]
    with _opened(path) as images:
        shape, dtype = images.shape, images.dtype
    if len(shape) != 6 or dtype != np.uint8 or 0 in shape:
        raise ValueError(f"{path} has images of {dtype} {shape}, expected uint8 ({', '.join(FACTORS)}, height, width)")
    sizes: dict[str, int] = dict(zip(FACTORS, shape[:4], strict=True))
    return Contents((1, *shape[4:]), FactorSpace(sizes), _blocks(path))


def _blocks(path: Path) -> Iterator[UInt8[np.ndarray, "block 1 h w"]]:
    """A few azimuths of one identity at a time."""
    with _opened(path) as images:
        num_identities, num_azimuths, *image_shape = images.shape
        step = max(1, BYTES_PER_BLOCK // math.prod(image_shape))
        for identity in range(num_identities):
            for start in range(0, num_azimuths, step):
                block = np.asarray(images[identity, start : start + step])
                yield block.reshape(-1, 1, *image_shape[-2:])


@contextmanager
def _opened(path: Path) -> Iterator[h5py.Dataset]:
    """The images. ValueError where there are none, OSError where the file is damaged."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            images = file.get("images")
            if not isinstance(images, h5py.Dataset):
                raise ValueError(f"{path} holds {', '.join(file) or 'nothing'}, expected a data set images")
            yield images
    except (RuntimeError, KeyError) as error:
        raise OSError(f"images is damaged, {error}") from error
