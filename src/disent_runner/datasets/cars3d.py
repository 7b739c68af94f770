"""3D Cars (Reed et al. 2015): 17,568 images of 183 cars from 4 elevations and 24 azimuths, 128x128 colour."""

import math
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.readers.archives import Archive, open_archive
from disent_runner.datasets.readers.matlab_stream import byte_arrays

FILE = PublishedFile(
    "nips2015-analogy-data.tar.gz",
    "md5:4e866a7919c1beedf53964e6f7a23686",
    "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
)
SIZES = {"elevation": 4, "azimuth": 24, "object_type": 183}
IMAGE_SIDE = 128
LIST = "data/cars/list.txt"
"""One car a line, in the order of `object_type`: the name of its file without the ending."""

MAX_LIST_BYTES, MAX_CAR_BYTES = 2**20, 2**26


def card() -> Card:
    """Factors and their order are those of disentanglement_lib, but for the cars: theirs is that of a directory."""
    return Card(
        name="cars3d",
        title="3D Cars",
        licence="none stated",
        homepage="https://papers.nips.cc/paper/5845-deep-visual-analogy-making",
        factors=SIZES,
        num_images=math.prod(SIZES.values()),
        image_shape=(3, IMAGE_SIDE, IMAGE_SIDE),
        periods={"azimuth": SIZES["azimuth"]},
        origins=(Origin(OFFICIAL, _read, files=(FILE,)),),
    )


def _read(paths: Sequence[Path]) -> Contents:
    with open_archive(paths[0]) as archive:
        cars = _cars(archive)
    space = FactorSpace({**SIZES, "object_type": len(cars)})
    return Contents((3, IMAGE_SIDE, IMAGE_SIDE), space, _blocks(archive, cars))


def _cars(archive: Archive) -> list[str]:
    """The cars' files in the order of the list. ValueError for an empty list, a car listed twice or without a file."""
    lines = archive.read(LIST, max_bytes=MAX_LIST_BYTES).decode("ascii", "replace").split()
    cars = [f"{LIST.removesuffix('list.txt')}{line}.mat" for line in lines]
    if not cars or len(set(cars)) < len(cars):
        raise ValueError(f"{archive.path}: {LIST} has {len(cars)} lines, {len(set(cars))} of them different")
    if missing := set(cars).difference(archive.names):
        raise ValueError(f"{archive.path} has no {min(missing)}, which {LIST} names")
    return cars


def _blocks(archive: Archive, cars: Sequence[str]) -> Iterator[UInt8[np.ndarray, "car 3 128 128"]]:
    """All cars from one direction in each block.

    The archive has each car from all directions in one piece, and is quick to read in its own order only: it is read
    once for each elevation, whose images are then held, 216 MB.
    """
    positions = {car: position for position, car in enumerate(cars)}
    images = np.empty((SIZES["azimuth"], len(cars), 3, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    with archive:
        for elevation in range(SIZES["elevation"]):
            for name in filter(positions.__contains__, archive.names):
                images[:, positions[name]] = _views(archive, name)[..., elevation].transpose(3, 2, 0, 1)
            yield from images


def _views(archive: Archive, name: str) -> UInt8[np.ndarray, "128 128 3 24 4"]:
    """A car from all azimuths and elevations. ValueError where the file holds something else."""
    content = archive.read(name, max_bytes=MAX_CAR_BYTES)
    expected = (IMAGE_SIDE, IMAGE_SIDE, 3, SIZES["azimuth"], SIZES["elevation"])
    try:
        views = next((array for array in byte_arrays(BytesIO(content)) if array.name == "im"), None)
        if views is None or views.shape != expected:
            seen = "is no array of bytes" if views is None else f"has shape {views.shape}"
            raise ValueError(f"it {seen}, expected {expected}")
        return np.frombuffer(views.read(math.prod(expected)), np.uint8).reshape(expected, order="F")
    except (ValueError, EOFError, zlib.error) as error:
        raise ValueError(f"{name} in {archive.path}: im cannot be read ({error}); download it again") from error
