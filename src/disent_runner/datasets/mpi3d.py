"""MPI3D (Gondal et al. 2019): a robot arm with an object, drawn, rendered or photographed; 64x64 colour."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.readers.array_files import npz_array
from disent_runner.machine.ranges import OneOf

IMAGE_SIDE = 64
LARGE_GRID = {
    "object_color": 6,
    "object_shape": 6,
    "object_size": 2,
    "camera_height": 3,
    "background_color": 3,
    "horizontal_axis": 40,
    "vertical_axis": 40,
}
SMALL_GRID = {**LARGE_GRID, "object_color": 4, "object_shape": 4}
VALUE_NAMES = {
    "object_size": ("small", "large"),
    "camera_height": ("top", "center", "bottom"),
    "background_color": ("purple", "sea green", "salmon"),
}
"""Those that are the same in all editions."""
DOWNLOADS = "https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main"


@dataclass(frozen=True)
class _Variant:
    """`grids` are those of its published editions, the latest first; their numbers of images tell them apart."""

    file: PublishedFile
    grids: tuple[Mapping[str, int], ...]
    hint: str | None = None


def _published(name: str, md5: str) -> PublishedFile:
    return PublishedFile(name, f"md5:{md5}", f"{DOWNLOADS}/{name}")


VARIANTS = {
    "toy": _Variant(_published("mpi3d_toy.npz", "55889cb7c7dfc655d6e0277beee88868"), (LARGE_GRID, SMALL_GRID)),
    "realistic": _Variant(
        _published("mpi3d_realistic.npz", "59a6225b88b635365f70c91b3e52f70f"), (LARGE_GRID, SMALL_GRID)
    ),
    "real": _Variant(_published("mpi3d_real.npz", "0f33f609918fb5c97996692f91129802"), (LARGE_GRID,)),
    "real_complex": _Variant(
        PublishedFile("real3d_complicated_shapes_ordered.npz"),
        (SMALL_GRID,),
        hint="download it by hand from https://drive.google.com/file/d/1Tp8eTdHxgUMtsZv5uAoYAbJR1BOa_OQm/view",
    ),
}


def card(*, variant: Annotated[str, OneOf(*VARIANTS)], grids: Sequence[Mapping[str, int]] | None = None) -> Card:
    """variant: toy, realistic, real or real_complex. grids: those the file may have, instead of the published ones.

    ValueError for another variant.
    """
    if variant not in VARIANTS:
        raise ValueError(f"dataset.card.variant must be {', '.join(VARIANTS)}, got {variant!r}")
    chosen = VARIANTS[variant]
    grids = grids or chosen.grids
    return Card(
        name=f"mpi3d_{variant}",
        title=f"MPI3D {variant}",
        licence="CC BY 4.0",
        homepage="https://github.com/rr-learning/disentanglement_dataset",
        factors=grids[0],
        num_images=math.prod(grids[0].values()),
        image_shape=(3, IMAGE_SIDE, IMAGE_SIDE),
        value_names={name: names for name, names in VALUE_NAMES.items() if grids[0].get(name) == len(names)},
        origins=(Origin(OFFICIAL, partial(_read, grids), files=(chosen.file,), hint=chosen.hint),),
    )


def _read(grids: Sequence[Mapping[str, int]], paths: Sequence[Path]) -> Contents:
    images = npz_array(paths[0], "images")
    images.check((None, IMAGE_SIDE, IMAGE_SIDE, 3))
    by_number = {math.prod(grid.values()): grid for grid in grids}
    if images.shape[0] not in by_number:
        expected = " or ".join(f"{number:,} ({'x'.join(map(str, g.values()))})" for number, g in by_number.items())
        raise ValueError(f"{paths[0]} has {images.shape[0]:,} images, expected {expected}")
    space = FactorSpace(by_number[images.shape[0]])
    return Contents((3, IMAGE_SIDE, IMAGE_SIDE), space, (np.moveaxis(block, 3, 1) for block in images.blocks()))
