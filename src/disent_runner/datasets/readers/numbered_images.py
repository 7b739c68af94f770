"""Images of a whole grid of factors in an archive or folder, each named by its row of the grid."""

import io
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from disent_runner.datasets.card import Contents
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.readers.archives import Archive, open_archive
from disent_runner.datasets.readers.image_files import decoded_blocks, shape_of

NUMBERED = re.compile(r"(?:.*/)?images/(\d{6})\.png")
DECIMALS = 6
"""Of labels: values that agree in so many are one."""


def numbered_images(path: Path, factors: Mapping[str, int], *, labels: str) -> Contents:
    """`images/NNNNNN.png` in an archive or folder: NNNNNN is the row of the grid, whose last factor varies fastest.

    `labels` names the array of the factors' values in a folder above, (image, factor), which must vary as the grid
    does; it may be missing.

    Raises ValueError for an image that is missing, twice there or beyond the grid, and for labels of another grid.
    """
    num_images = math.prod(factors.values())
    with open_archive(path) as archive:
        names = _by_number(archive, num_images)
        _check_labels(archive, factors, labels)
        shape = shape_of(archive, names[0], channels=3)
    return Contents(shape, FactorSpace(factors), decoded_blocks(archive, names, shape))


def _by_number(archive: Archive, num_images: int) -> list[str]:
    found: dict[int, str] = {}
    for name in archive.names:
        if match := NUMBERED.fullmatch(name):
            number = int(match[1])
            if number in found:
                raise ValueError(f"{archive.path} has {found[number]} and {name}, two images of one number; remove one")
            found[number] = name
    missing = [number for number in range(num_images) if number not in found]
    if missing:
        raise ValueError(
            f"{archive.path} lacks {len(missing):,} of {num_images:,} images, the first is images/{missing[0]:06}.png; "
            "download it again"
        )
    if len(found) > num_images:
        raise ValueError(
            f"{archive.path} has {len(found):,} images, expected {num_images:,}; {found[max(found)]} is beyond the grid"
        )
    return [found[number] for number in range(num_images)]


def _check_labels(archive: Archive, factors: Mapping[str, int], labels: str) -> None:
    name = next((name for name in archive.names if name.rpartition("/")[2] == labels), None)
    if name is None:
        return
    shape = (math.prod(factors.values()), len(factors))
    content = archive.read(name, max_bytes=1000 + 16 * math.prod(shape))
    try:
        values = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{name} in {archive.path} is no readable array; download it again") from error
    if values.shape != shape or not np.issubdtype(values.dtype, np.number):
        raise ValueError(
            f"{name} in {archive.path} is {values.dtype} of shape {values.shape}, expected numbers {shape}"
        )
    grid = FactorSpace(factors).factors(np.arange(shape[0]))
    for column, factor in enumerate(factors):
        _, ranks = np.unique(np.round(values[:, column], DECIMALS), return_inverse=True)
        if not np.array_equal(ranks, grid[:, column]):
            raise ValueError(
                f"{name} in {archive.path} does not vary in {factor} as the numbers of the images do; is it another "
                "edition?"
            )
