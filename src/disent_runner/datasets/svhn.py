"""SVHN, cropped digits (Netzer et al. 2011): 73,257 + 26,032 + 531,131 photographs of house numbers, 32x32 colour.

`train_32x32.mat`, `test_32x32.mat` and `extra_32x32.mat` are MATLAB files, version 5, with X (row, column, channel,
image) and y (image, 1), where 10 stands for the digit 0. Instead, folders `svhn/train`, `svhn/test` and `svhn/extra`
may hold a folder 0 to 9 for each digit with its images as JPEG or PNG. Full house numbers (format 1) are not read.
"""

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Int64, UInt8

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.archives import Archive, open_archive
from disent_runner.datasets.readers.image_files import BYTES_PER_BLOCK, decoded_blocks, shape_of
from disent_runner.datasets.readers.matlab_stream import ByteArray, byte_arrays
from disent_runner.machine.ranges import OneOf

HOMEPAGE = "http://ufldl.stanford.edu/housenumbers"
SHA256 = {
    "train": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
    "test": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
    "extra": "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3",
}
NUM_IMAGES = {"train": 73_257, "test": 26_032, "extra": 531_131}
PARTS = ("all", *NUM_IMAGES)

IMAGE = re.compile(r"(?:.*/)?[^/.][^/]*\.(?:png|jpg|jpeg)", re.IGNORECASE)


def card(*, part: Annotated[str, OneOf(*PARTS)] = "train") -> Card:
    """part: train, test, extra or all, which is one after the other. ValueError for another part."""
    if part not in PARTS:
        raise ValueError(f"dataset.part must be {', '.join(PARTS)}, got {part!r}")
    parts = list(NUM_IMAGES) if part == "all" else [part]
    mats = tuple(
        PublishedFile(f"{name}_32x32.mat", f"sha256:{SHA256[name]}", f"{HOMEPAGE}/{name}_32x32.mat") for name in parts
    )
    folders = tuple(PublishedFile(name) for name in parts)
    return Card(
        name="svhn",
        title="SVHN",
        licence="non-commercial use only",
        homepage=HOMEPAGE,
        factors={"digit": 10},
        num_images=sum(NUM_IMAGES[name] for name in parts),
        image_shape=(3, 32, 32),
        stored_as=f"svhn_{part}",
        origins=(
            Origin(OFFICIAL, _read_mats, files=mats),
            Origin(
                OFFICIAL,
                _read_folders,
                files=folders,
                only_in_subfolder=True,
                hint=f"sort images into svhn/{parts[0]}/0 to 9",
            ),
        ),
    )


def _factors(digits: Int64[np.ndarray, " image"]) -> LabelTable:
    return LabelTable({"digit": 10}, digits[:, None])


def _read_mats(paths: Sequence[Path]) -> Contents:
    shapes = {path: _image_shape(path) for path in paths}
    first = shapes[paths[0]]
    if other := [path for path, shape in shapes.items() if shape != first]:
        raise ValueError(f"{other[0]} has images of {shapes[other[0]]}, expected {first} as in {paths[0]}")
    digits = np.concatenate([_digits(path) for path in paths])
    return Contents(first, _factors(digits), (block for path in paths for block in _image_blocks(path)))


def _image_shape(path: Path) -> tuple[int, int, int]:
    """(channel, height, width). ValueError where the file does not hold as many labels as images in colour."""
    with path.open("rb") as file, _explained(path):
        shapes = {array.name: array.shape for array in byte_arrays(file)}
    images, labels = shapes.get("X", ()), shapes.get("y", ())
    if len(images) != 4 or images[2] != 3 or labels != (images[3], 1) or 0 in images:
        raise ValueError(
            f"{path} holds {shapes}, expected bytes of X (height, width, 3, image) and y (image, 1); download it again"
        )
    return 3, images[0], images[1]


def _digits(path: Path) -> Int64[np.ndarray, " image"]:
    with _array(path, "y") as labels:
        values = np.frombuffer(labels.read(labels.shape[0]), np.uint8)
    wrong = (values < 1) | (values > 10)
    if wrong.any():
        raise ValueError(f"{path} has the label {values[wrong][0]}, expected 1 to 10 (10 stands for the digit 0)")
    return values.astype(np.int64) % 10


def _image_blocks(path: Path) -> Iterator[UInt8[np.ndarray, "block 3 h w"]]:
    with _array(path, "X") as images:
        *shape, num_images = images.shape
        per_block = max(1, BYTES_PER_BLOCK // math.prod(shape))
        for start in range(0, num_images, per_block):
            count = min(per_block, num_images - start)
            pixels = np.frombuffer(images.read(count * math.prod(shape)), np.uint8)
            yield pixels.reshape(*shape, count, order="F").transpose(3, 2, 0, 1)
        with suppress(EOFError):
            images.read(1)  # so that the checksum is compared


@contextmanager
def _array(path: Path, name: str) -> Iterator[ByteArray]:
    with path.open("rb") as file, _explained(path):
        yield next(array for array in byte_arrays(file) if array.name == name)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read ({error}); download it again") from error


def _read_folders(paths: Sequence[Path]) -> Contents:
    files: dict[Archive, list[str]] = {}
    for path in paths:
        with open_archive(path) as archive:
            files[archive] = _digit_files(archive)
    with next(iter(files)) as first:
        shape = shape_of(first, files[first][0], channels=3)
    digits = np.array([int(name[0]) for names in files.values() for name in names])
    blocks = (block for archive, names in files.items() for block in decoded_blocks(archive, names, shape))
    return Contents(shape, _factors(digits), blocks)


def _digit_files(archive: Archive) -> list[str]:
    names = [name for name in archive.names if IMAGE.fullmatch(name)]
    stray = [name for name in names if not re.match("[0-9]/", name)]
    if stray or not names:
        raise ValueError(
            f"{archive.path} has {stray[0] if stray else 'no JPEG or PNG'}, expected images in folders 0 to 9, one for "
            f"each digit; full house numbers (format 1) are not read, get {archive.path.name}_32x32.mat instead"
        )
    return names
