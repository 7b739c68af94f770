"""SmallNORB (LeCun et al. 2004): 48,600 grey 96x96 images of 50 toys in 5 categories, the first of each pair."""

import gzip
import io
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Int, UInt8

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile, in_blocks
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.archives import read_gzip
from disent_runner.machine.ranges import OneOf

SIZES = {"category": 5, "instance": 10, "elevation": 9, "azimuth": 18, "lighting": 6}
STEPS = {"azimuth": 2}
"""Of the labels of a factor, where they are not 0, 1, 2, …"""

CATEGORIES = ("animal", "human", "airplane", "truck", "car")

IMAGE_SIDE = 96
PAIR = (2, IMAGE_SIDE, IMAGE_SIDE)
"""One image from each camera."""

PAIRS_PER_BLOCK = 1024
MAX_LABEL_BYTES = 2**20
BYTES, INTEGERS = 0x1E3D4C55, 0x1E3D4C54
"""What a matrix of uint8 and one of int32 start with."""

HOMEPAGE = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
DIGESTS = {
    "5x46789x9x18x6x2x96x96-training-dat": "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873",
    "5x46789x9x18x6x2x96x96-training-cat": "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa",
    "5x46789x9x18x6x2x96x96-training-info": "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32",
    "5x01235x9x18x6x2x96x96-testing-dat": "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474",
    "5x01235x9x18x6x2x96x96-testing-cat": "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff",
    "5x01235x9x18x6x2x96x96-testing-info": "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2",
}
FILES = tuple(
    PublishedFile(f"smallnorb-{name}.mat.gz", f"sha256:{digest}", f"{HOMEPAGE}smallnorb-{name}.mat.gz")
    for name, digest in DIGESTS.items()
)


def card(*, instance: Annotated[str, OneOf("nuisance", "factor")] = "nuisance") -> Card:
    """instance: a factor, which makes a full grid; or a nuisance, 10 images of each combination of the others.

    ValueError for anything else.
    """
    if instance not in ("nuisance", "factor"):
        raise ValueError(f"dataset.card.instance must be nuisance or factor, got {instance!r}")
    is_factor = instance == "factor"
    return Card(
        name="smallnorb",
        title="SmallNORB",
        stored_as="smallnorb_instance" if is_factor else None,
        licence="for research only, not to be sold",
        homepage=HOMEPAGE,
        factors=SIZES if is_factor else _without_instance(SIZES),
        num_images=math.prod(SIZES.values()),
        image_shape=(1, IMAGE_SIDE, IMAGE_SIDE),
        periods={"azimuth": SIZES["azimuth"]},
        value_names={"category": CATEGORIES},
        origins=(Origin(OFFICIAL, partial(_read, is_factor), files=FILES),),
    )


def _without_instance(sizes: Mapping[str, int]) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if name != "instance"}


def _read(instance_is_factor: bool, paths: Sequence[Path]) -> Contents:
    """The images in the order of the full grid, whether instances are a factor or not."""
    parts = [paths[:3], paths[3:]]
    labels = np.concatenate([_labels(*part) for part in parts])
    columns = [np.unique(column, return_inverse=True) for column in labels.T]
    sizes = {name: len(values) for name, (values, _) in zip(SIZES, columns, strict=True)}
    shape = tuple(sizes.values())
    cells = np.asarray(np.ravel_multi_index([ranks for _, ranks in columns], shape), np.int64)
    if not np.array_equal(np.sort(cells), np.arange(math.prod(shape))):
        names = ", ".join(path.name for path in paths)
        raise ValueError(f"{names} label {len(cells)} images, expected one for each combination of {sizes}")
    factors = grid = FactorSpace(sizes)
    if not instance_is_factor:
        table = np.delete(grid.factors(np.arange(len(grid))), list(sizes).index("instance"), axis=1)
        factors = LabelTable(_without_instance(sizes), table)
    blocks = _blocks([images for images, _, _ in parts], cells, num_categories=sizes["category"])
    return Contents((1, IMAGE_SIDE, IMAGE_SIDE), factors, blocks)


def _labels(images: Path, category: Path, info: Path) -> Int[np.ndarray, "image 5"]:
    """Category, instance, elevation, azimuth and lighting as published. ValueError for one that is not."""
    columns = [_label_matrix(category, ()), _label_matrix(info, (len(SIZES) - 1,))]
    with gzip.open(images) as file:
        counts = [*map(len, columns), _num_rows(images, file, BYTES, PAIR)]
    if len(set(counts)) > 1:
        raise ValueError(f"{category}, {info.name} and {images.name} have {counts} rows, expected equal numbers")
    labels = np.column_stack(columns)
    for (name, size), column in zip(SIZES.items(), labels.T, strict=True):
        published = np.arange(size) * STEPS.get(name, 1)
        wrong = ~np.isin(column, published)
        if wrong.any():
            raise ValueError(f"{category} or {info.name} has {name} {column[wrong][0]}, expected {published.tolist()}")
    return labels


def _label_matrix(path: Path, row: tuple[int, ...]) -> Int[np.ndarray, "image ..."]:
    file = io.BytesIO(read_gzip(path, max_bytes=MAX_LABEL_BYTES))
    num_rows = _num_rows(path, file, INTEGERS, row)
    labels = np.frombuffer(_exactly(path, file, 4 * num_rows * math.prod(row)), "<i4")
    _check_end(path, file)
    return labels.reshape(num_rows, *row)


def _blocks(
    paths: Sequence[Path], cells: Int[np.ndarray, " image"], *, num_categories: int
) -> Iterator[UInt8[np.ndarray, "block 1 96 96"]]:
    """The first camera's images, each at its cell of the grid.

    The files are in no order and can be read from their start only: they are read once for each category, whose images
    are then held, 90 MB.
    """
    num_images = len(cells) // num_categories
    for category in range(num_categories):
        images = np.empty((num_images, 1, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
        start = 0
        for pairs in chain.from_iterable(map(_pairs, paths)):
            places = cells[start : start + len(pairs)] - category * num_images
            is_here = (places >= 0) & (places < num_images)
            images[places[is_here]] = pairs[is_here, :1]
            start += len(pairs)
        yield from in_blocks(images)


def _pairs(path: Path) -> Iterator[UInt8[np.ndarray, "block 2 96 96"]]:
    with gzip.open(path) as file:
        num_rows = _num_rows(path, file, BYTES, PAIR)
        for start in range(0, num_rows, PAIRS_PER_BLOCK):
            count = min(PAIRS_PER_BLOCK, num_rows - start)
            yield np.frombuffer(_exactly(path, file, count * math.prod(PAIR)), np.uint8).reshape(count, *PAIR)
        _check_end(path, file)


def _num_rows(path: Path, file: io.BufferedIOBase, kind: int, row: tuple[int, ...]) -> int:
    """Length of the first axis of a binary matrix, read up to its first row. ValueError where it is another matrix.

    It starts with its kind and its number of axes, then come their lengths, at least three; all in little endian.
    """
    seen, num_axes = struct.unpack("<2i", _exactly(path, file, 8))
    num_stored = max(3, 1 + len(row))
    lengths = struct.unpack(f"<{num_stored}i", _exactly(path, file, 4 * num_stored))[: 1 + len(row)]
    if (seen, num_axes, lengths[1:]) != (kind, 1 + len(row), row) or lengths[0] < 0:
        raise ValueError(
            f"{path} holds a matrix of kind {seen:#x}, {num_axes} axes and lengths {lengths}, "
            f"expected {kind:#x}, {1 + len(row)} and {('any', *row)}"
        )
    return lengths[0]


def _exactly(path: Path, file: io.BufferedIOBase, num_bytes: int) -> bytes:
    content = file.read(num_bytes)
    if len(content) < num_bytes:
        raise EOFError(f"{path.name} ends too early")
    return content


def _check_end(path: Path, file: io.BufferedIOBase) -> None:
    if file.read(1):  # at the end of a gzip file, its checksum is compared too
        raise ValueError(f"{path} goes on after its last row")
