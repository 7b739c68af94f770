"""The idx files of MNIST and of the sets that took over its format: an images and a labels file for each part."""

import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from disent_runner.datasets.card import Contents, in_blocks
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.archives import read_gzip

TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
PARTS = {"all": TRAIN + TEST, "train": TRAIN, "test": TEST}
"""part -> its files, each followed by the one with its labels"""
NUM_IMAGES = {"all": 70_000, "train": 60_000, "test": 10_000}
IMAGE_SHAPE = (1, 28, 28)

_BYTES = 8
"""What an idx file calls unsigned bytes."""
_MAX_BYTES = 2**26
"""More than 60,000 images have."""


def files_of(part: str) -> tuple[str, ...]:
    """Names of the part's files, without .gz. ValueError for another part."""
    if part not in PARTS:
        raise ValueError(f"dataset.part must be {', '.join(PARTS)}, got {part!r}")
    return PARTS[part]


def other_names(name: str) -> tuple[str, ...]:
    """How mirrors call the file: with a dot before `idx`, also in a folder of its own name."""
    dotted = name.replace("-idx", ".idx")
    return dotted, f"{name}/{name}", f"{dotted}/{dotted}"


def stored_as(name: str, part: str) -> str:
    return name if part == "all" else f"{name}_{part}"


def read_labelled(paths: Sequence[Path], *, factor: str, num_values: int) -> Contents:
    """The images of all pairs of an images and a labels file, one pair after the other."""
    pairs = [_read_pair(*pair, num_values) for pair in zip(paths[::2], paths[1::2], strict=True)]
    shapes = {images.shape[1:] for images, _ in pairs}
    if len(shapes) > 1:
        raise ValueError(
            f"{' and '.join(map(str, paths[::2]))} have images of sizes {sorted(shapes)}, expected one size"
        )
    ((height, width),) = shapes
    return Contents(
        (1, height, width),
        LabelTable({factor: num_values}, np.concatenate([labels for _, labels in pairs])[:, None]),
        chain.from_iterable(in_blocks(images[:, None]) for images, _ in pairs),
    )


def read_idx(path: Path, num_axes: int) -> UInt8[np.ndarray, "..."]:
    """The array in an idx file of bytes, compressed where its name ends in .gz.

    ValueError where it holds something else, or fewer or more bytes than its header says.
    """
    content = read_gzip(path, max_bytes=_MAX_BYTES)
    magic, header_size = bytes([0, 0, _BYTES, num_axes]), 4 + 4 * num_axes
    if not content.startswith(magic) or len(content) < header_size:
        raise ValueError(
            f"{path} starts with {content[:4].hex() or 'nothing'}, expected {magic.hex()}, "
            f"bytes along {num_axes} {'axis' if num_axes == 1 else 'axes'}; download it again"
        )
    shape = np.frombuffer(content, ">u4", num_axes, offset=4).tolist()
    if len(content) - header_size != math.prod(shape):
        raise ValueError(
            f"{path} holds {len(content) - header_size} bytes behind its header, which says {math.prod(shape)} "
            f"({' x '.join(map(str, shape))}); download it again"
        )
    return np.frombuffer(content, np.uint8, offset=header_size).reshape(shape)


def _read_pair(images_path: Path, labels_path: Path, num_values: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(f"{labels_path} has {len(labels)} labels for the {len(images)} images of {images_path}")
    if (wrong := labels >= num_values).any():
        raise ValueError(f"{labels_path} has label {labels[wrong][0]}, expected 0 to {num_values - 1}")
    return images, labels
