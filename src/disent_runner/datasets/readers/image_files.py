"""Image files in an archive or folder, decoded on all cores, a block at a time."""

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from joblib import cpu_count
from PIL import Image

from disent_runner.datasets.readers.archives import Archive
from disent_runner.machine.files import read_whole

FORMATS = ("JPEG", "PNG", "PPM")
MODES = {1: ("1", "L", "LA"), 3: ("L", "LA", "P", "RGB", "RGBA")}
"""What images of one and of three channels are made from without a loss: nothing is made grey or opaque unasked."""
OPAQUE = ("LA", "RGBA")
"""Modes that are taken where no pixel is transparent."""

MAX_SIDE = 4096
MAX_FILE_BYTES = 2**24
BYTES_PER_BLOCK = 2**25


def shape_of(archive: Archive, name: str, *, channels: int) -> tuple[int, int, int]:
    """(channel, height, width) of the image in a file of an open archive; only its header is read.

    ValueError where it is no JPEG, PNG, PGM or PPM, has other channels, or a side longer than MAX_SIDE.
    """
    mode, size = _kind(archive, name)
    _check_mode(mode, channels, name, archive.path)
    return channels, *size


def kinds_of(archive: Archive, names: Sequence[str]) -> tuple[int, list[tuple[int, int]]]:
    """(channels, (height, width) of each) of the images in these files of an open archive: one channel where all are
    grey, else three. ValueError as `shape_of`.
    """
    with ThreadPoolExecutor(cpu_count()) as pool:
        kinds = list(pool.map(lambda name: _kind(archive, name), names))
    channels = 1 if all(mode in MODES[1] for mode, _ in kinds) else 3
    for name, (mode, _) in zip(names, kinds, strict=True):
        _check_mode(mode, channels, name, archive.path)
    return channels, [size for _, size in kinds]


def _kind(archive: Archive, name: str) -> tuple[str, tuple[int, int]]:
    """Pillow's name for its pixels, and (height, width)."""
    with _opened(archive.read(name, max_bytes=MAX_FILE_BYTES), name, archive.path) as image:
        width, height = image.size
        if max(width, height) > MAX_SIDE:
            raise ValueError(f"{name} in {archive.path} is {height}x{width}, more than {MAX_SIDE} pixels of a side")
        return image.mode, (height, width)


def read_picture(path: Path, image_shape: tuple[int, int, int]) -> UInt8[np.ndarray, "c h w"]:
    """The image in a file, grey as colour where that is asked for.

    ValueError for a file that is no JPEG, PNG, PGM or PPM, for an image of another shape, and for one in colour where
    it is to be grey.
    """
    content = read_whole(path, most=MAX_FILE_BYTES)
    return _decoded(content, path.name, path.parent, image_shape, why="; resize it")


def decoded_blocks(
    archive: Archive, names: Sequence[str], image_shape: tuple[int, int, int]
) -> Iterator[UInt8[np.ndarray, "block c h w"]]:
    """The images of these files, in this order; opens the archive.

    ValueError for a file that is no image, or one of another size, which is told before it is decoded.
    """
    return decoded_by_size(archive, names, [image_shape] * len(names))


def decoded_by_size(
    archive: Archive, names: Sequence[str], shapes: Sequence[tuple[int, int, int]]
) -> Iterator[UInt8[np.ndarray, "block c h w"]]:
    """As `decoded_blocks`, of images that have a shape each: a block is of one shape."""
    per_block = max(1, BYTES_PER_BLOCK // max(map(math.prod, shapes), default=1))

    def decoded(content: bytes, name: str, shape: tuple[int, int, int]) -> UInt8[np.ndarray, "c h w"]:
        return _decoded(content, name, archive.path, shape)

    decoding: deque[Iterator[UInt8[np.ndarray, "c h w"]]] = deque()
    with archive, ThreadPoolExecutor(cpu_count()) as pool:
        for start in range(0, len(names), per_block):
            asked = names[start : start + per_block]
            files = [archive.read(name, max_bytes=MAX_FILE_BYTES) for name in asked]
            decoding.append(pool.map(decoded, files, asked, shapes[start : start + per_block]))
            if len(decoding) > 1:  # one block is decoded while the one before it is resized and written
                yield from _stacked(decoding.popleft())
        for images in decoding:
            yield from _stacked(images)


def _stacked(images: Iterable[np.ndarray]) -> Iterator[UInt8[np.ndarray, "block c h w"]]:
    for _, alike in groupby(images, key=np.shape):
        yield np.stack(list(alike))


def _decoded(
    content: bytes,
    name: str,
    path: Path,
    image_shape: tuple[int, int, int],
    *,
    why: str = " as the first one; all must be equal",
) -> UInt8[np.ndarray, "c h w"]:
    channels, height, width = image_shape
    with _opened(content, name, path) as image:
        if image.size != (width, height):
            seen = f"{image.size[1]}x{image.size[0]}"
            raise ValueError(f"{name} in {path} is {seen}, expected {height}x{width}{why}")
        _check_mode(image.mode, channels, name, path)
        with _explained(name, path):
            is_seen_through = image.mode in OPAQUE and np.asarray(image.getchannel("A")).min() < 255
            pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    if is_seen_through:
        raise ValueError(f"{name} in {path} is transparent in places; save it on a background")
    return pixels.transpose(2, 0, 1) if channels == 3 else pixels[None]


def _opened(content: bytes, name: str, path: Path) -> Image.Image:
    """The image with its size; its pixels are not decoded yet."""
    with _explained(name, path):
        return Image.open(BytesIO(content), formats=FORMATS)


def _check_mode(mode: str, channels: int, name: str, path: Path) -> None:
    if mode not in MODES[channels]:
        raise ValueError(f"{name} in {path} has pixels of {mode}, expected {' or '.join(_plain(channels))}")


def _plain(channels: int) -> list[str]:
    return [mode for mode in MODES[channels] if mode not in OPAQUE]


@contextmanager
def _explained(name: str, path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # decoders raise nearly anything for damaged files
        reason = " ".join(re.sub(r"<[^>]* object at [^>]*>", "", str(error)).split()) or type(error).__name__
        raise ValueError(f"{name} in {path} is no readable JPEG, PNG or PGM ({reason}); get it again") from error
