"""Image files in an archive or folder, decoded on all cores, a block at a time."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from joblib import cpu_count
from PIL import Image

from disent_runner.datasets.readers.archives import Archive

FORMATS = ("JPEG", "PNG", "PPM")
MODES = {1: ("1", "L"), 3: ("L", "P", "RGB")}
"""What images of one and of three channels are made from without a loss: nothing is made grey or opaque unasked."""

MAX_SIDE = 4096
MAX_FILE_BYTES = 2**24
BYTES_PER_BLOCK = 2**25


def shape_of(archive: Archive, name: str, *, channels: int) -> tuple[int, int, int]:
    """(channel, height, width) of the image in a file of an open archive; only its header is read.

    ValueError where it is no JPEG, PNG, PGM or PPM, has other channels, or a side longer than MAX_SIDE.
    """
    with _opened(archive.read(name, max_bytes=MAX_FILE_BYTES), name, archive.path) as image:
        width, height = image.size
        if max(width, height) > MAX_SIDE:
            raise ValueError(f"{name} in {archive.path} is {height}x{width}, more than {MAX_SIDE} pixels of a side")
        _check_mode(image, channels, name, archive.path)
    return channels, height, width


def decoded_blocks(
    archive: Archive, names: Sequence[str], image_shape: tuple[int, int, int]
) -> Iterator[UInt8[np.ndarray, "block c h w"]]:
    """The images of these files, in this order; opens the archive.

    ValueError for a file that is no image, or one of another size, which is told before it is decoded.
    """
    per_block = max(1, BYTES_PER_BLOCK // math.prod(image_shape))

    def decoded(content: bytes, name: str) -> UInt8[np.ndarray, "c h w"]:
        return _decoded(content, name, archive.path, image_shape)

    decoding: deque[Iterator[UInt8[np.ndarray, "c h w"]]] = deque()
    with archive, ThreadPoolExecutor(cpu_count()) as pool:
        for start in range(0, len(names), per_block):
            asked = names[start : start + per_block]
            files = [archive.read(name, max_bytes=MAX_FILE_BYTES) for name in asked]
            decoding.append(pool.map(decoded, files, asked))
            if len(decoding) > 1:  # one block is decoded while the one before it is resized and written
                yield np.stack(list(decoding.popleft()))
        for images in decoding:
            yield np.stack(list(images))


def _decoded(content: bytes, name: str, path: Path, image_shape: tuple[int, int, int]) -> UInt8[np.ndarray, "c h w"]:
    channels, height, width = image_shape
    with _opened(content, name, path) as image:
        if image.size != (width, height):
            seen = f"{image.size[1]}x{image.size[0]}"
            raise ValueError(
                f"{name} in {path} is {seen}, expected {height}x{width} as the first one; all must be equal"
            )
        _check_mode(image, channels, name, path)
        with _explained(name, path):
            pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    return pixels.transpose(2, 0, 1) if channels == 3 else pixels[None]


def _opened(content: bytes, name: str, path: Path) -> Image.Image:
    """The image with its size; its pixels are not decoded yet."""
    with _explained(name, path):
        return Image.open(BytesIO(content), formats=FORMATS)


def _check_mode(image: Image.Image, channels: int, name: str, path: Path) -> None:
    if image.mode not in MODES[channels]:
        raise ValueError(f"{name} in {path} has pixels of {image.mode}, expected {' or '.join(MODES[channels])}")


@contextmanager
def _explained(name: str, path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # decoders raise nearly anything for damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{name} in {path} is no readable JPEG, PNG or PGM ({reason}); get it again") from error
