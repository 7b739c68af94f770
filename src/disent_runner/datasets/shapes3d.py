"""3D Shapes (Burgess and Kim 2018): 480,000 images of a solid in a coloured room; and rooms rendered like them."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from disent_runner.datasets.card import OFFICIAL, RENDERED, Card, Contents, Origin, PublishedFile, in_blocks, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.layout import Labels, Layout
from disent_runner.datasets.readers.array_files import hdf5_array
from disent_runner.rendering.rooms import IMAGE_SIDE, ROOM_SIZES, room_colours, room_layers

if TYPE_CHECKING:
    from disent_runner.datasets.images.image_store import ImageStore

FILE = PublishedFile(
    "3dshapes.h5",
    "sha256:0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
    "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
)
IMAGE_SHAPE = (3, IMAGE_SIDE, IMAGE_SIDE)
STAND_IN = "shapes3d_rendered"
PUBLISHED = {
    "floor_hue": (0, 0.9),
    "wall_hue": (0, 0.9),
    "object_hue": (0, 0.9),
    "scale": (0.75, 1.25),
    "shape": (0, 3),
    "orientation": (-30, 30),
}
"""First and last value of each factor in the file."""


def card() -> Card:
    """The official file where there is one, else rooms of the same factors, which go by their own name."""
    return Card(
        name="shapes3d",
        title="3D Shapes",
        licence="Apache-2.0",
        homepage="https://github.com/google-deepmind/3d-shapes",
        origins=(Origin(OFFICIAL, _read, files=(FILE,)), _rooms()),
        names={RENDERED: STAND_IN},
        **_facts(),
    )


def rendered_card() -> Card:
    """The rendered rooms only."""
    return Card(
        name=STAND_IN,
        title="rooms rendered like 3D Shapes",
        stored_as="shapes3d",
        licence="MIT, as this program",
        homepage="docs/datasets",
        origins=(_rooms(),),
        **_facts(),
    )


def _facts() -> dict:
    return {
        "factors": ROOM_SIZES,
        "num_images": math.prod(ROOM_SIZES.values()),
        "image_shape": IMAGE_SHAPE,
        "periods": {name: size for name, size in ROOM_SIZES.items() if name.endswith("hue")},
        "value_names": {"shape": ("cube", "cylinder", "sphere", "pill")},
        "layout": Layout("images", _beside),
    }


def _rooms() -> Origin:
    return rendered(_render, show=_show, shown_as="layers in ten hues, version 1")


def _render() -> Contents:
    layers = room_layers()
    return Contents(layers.shape[1:], FactorSpace(ROOM_SIZES), in_blocks(layers), num_rows=len(layers))


def _show(layers: "ImageStore") -> "ImageStore":
    from disent_runner.datasets.images.image_store import ByteImages
    from disent_runner.datasets.images.layered_images import LayeredImages

    assert isinstance(layers, ByteImages)
    return LayeredImages(layers, room_colours())


def _beside(labels: Labels) -> Mapping[str, np.ndarray]:
    tables = {name: np.linspace(first, last, ROOM_SIZES[name]) for name, (first, last) in PUBLISHED.items()}
    return {"labels": labels.values(tables)}


def _read(paths: Sequence[Path]) -> Contents:
    images, labels = (hdf5_array(paths[0], name) for name in ("images", "labels"))
    images.check((None, IMAGE_SIDE, IMAGE_SIDE, 3))
    labels.check((images.shape[0], len(ROOM_SIZES)), np.float64)
    sizes = _grid(paths[0], np.concatenate([*labels.blocks()]))
    return Contents(IMAGE_SHAPE, FactorSpace(sizes), (np.moveaxis(block, 3, 1) for block in images.blocks()))


def _grid(path: Path, labels: Float[np.ndarray, "image 6"]) -> Mapping[str, int]:
    """Number of values of each factor. ValueError where the images do not show all combinations, in order."""
    columns = [np.unique(column, return_inverse=True) for column in labels.T]
    sizes = {name: len(values) for name, (values, _) in zip(ROOM_SIZES, columns, strict=True)}
    if math.prod(sizes.values()) != len(labels):
        raise ValueError(f"{path} has {len(labels)} images, expected one for each combination of {sizes}")
    expected = np.unravel_index(np.arange(len(labels)), tuple(sizes.values()))
    wrong = np.any([ranks != column for (_, ranks), column in zip(columns, expected, strict=True)], axis=0)
    if wrong.any():
        raise ValueError(
            f"{path}: image {wrong.argmax()} is out of order; {', '.join(sizes)} must vary, the last fastest"
        )
    return sizes
