"""Small images in a compressed text file: a line for each, its pixels and then its label."""

import io
import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from disent_runner.datasets.readers.archives import read_gzip

_MAX_BYTES = 2**26


def read_labelled_csv(
    path: Path, *, image_shape: tuple[int, int, int], num_images: int, brightest: int, num_values: int
) -> tuple[UInt8[np.ndarray, "image channel height width"], UInt8[np.ndarray, " image"]]:
    """Pixels from 0 to `brightest`, and labels from 0 to `num_values` - 1. ValueError where the file is another."""
    content = read_gzip(path, max_bytes=_MAX_BYTES)
    num_columns = math.prod(image_shape) + 1
    if not content.strip():
        raise ValueError(f"{path} is empty, expected {num_images} lines of {num_columns} values")
    try:
        table = np.loadtxt(io.BytesIO(content), dtype=np.uint8, delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read ({error}), expected whole numbers from 0 to 255") from error
    if table.shape != (num_images, num_columns):
        raise ValueError(
            f"{path} has {table.shape[0]} lines of {table.shape[1]} values, expected {num_images} of {num_columns}"
        )
    pixels, labels = table[:, :-1], table[:, -1]
    if pixels.max() > brightest or labels.max() >= num_values:
        raise ValueError(
            f"{path} has pixels up to {pixels.max()} and labels up to {labels.max()}, "
            f"expected {brightest} and {num_values - 1}"
        )
    return pixels.reshape(-1, *image_shape), labels
