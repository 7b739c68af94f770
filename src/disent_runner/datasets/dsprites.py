"""dSprites (Matthey et al. 2017): 737,280 binary images of 3 shapes in 6 scales, 40 orientations, 32 x 32 positions."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.layout import Labels, Layout
from disent_runner.datasets.readers.dsprites_files import Reader, read_hdf5, read_npz
from disent_runner.rendering.sprites import IMAGE_SIDE, SPRITE_SIZES, packed_blocks

RENDERED_SHA256 = "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"
"""Of the rendered images, one bit a pixel."""

STEM = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"
REPOSITORY = "https://github.com/google-deepmind/dsprites-dataset"
NPZ = PublishedFile(f"{STEM}.npz", "md5:7da33b31b13a06f4b04a70402ce90c2e", f"{REPOSITORY}/raw/master/{STEM}.npz")
HDF5 = PublishedFile(
    f"{STEM}.hdf5",
    "sha256:729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb",
    f"{REPOSITORY}/raw/master/{STEM}.hdf5",
)
SHAPES = ("square", "ellipse", "heart")
IMAGE_SHAPE = (1, IMAGE_SIDE, IMAGE_SIDE)
PUBLISHED = {
    "shape": ("shape", 1, 3),
    "scale": ("scale", 0.5, 1),
    "orientation": ("orientation", 0, 2 * math.pi),
    "pos_x": ("posX", 0, 1),
    "pos_y": ("posY", 0, 1),
}
"""The name of each factor in the files, its first value and its last."""


def card(*, npz: PublishedFile = NPZ, hdf5: PublishedFile = HDF5, sizes: Mapping[str, int] = SPRITE_SIZES) -> Card:
    """From an official file, or rendered. The colour factor, of one value, is left out."""
    is_whole = sizes == SPRITE_SIZES
    return Card(
        name="dsprites",
        title="dSprites",
        licence="Apache-2.0",
        homepage=REPOSITORY,
        factors=sizes,
        num_images=math.prod(sizes.values()),
        image_shape=IMAGE_SHAPE,
        periods={"orientation": sizes["orientation"] - 1} if "orientation" in sizes else {},  # 0 to 2π, both included
        value_names={"shape": SHAPES} if sizes.get("shape") == len(SHAPES) else {},
        origins=(
            Origin(OFFICIAL, partial(_read, read_npz, sizes), files=(npz,)),
            Origin(OFFICIAL, partial(_read, read_hdf5, sizes), files=(hdf5,)),
            *((rendered(_render, sha256=RENDERED_SHA256),) if is_whole else ()),
        ),
        layout=Layout("imgs", partial(_beside, sizes), white=1),
    )


def _render() -> Contents:
    return Contents(IMAGE_SHAPE, FactorSpace(SPRITE_SIZES), packed_blocks(), is_packed=True)


def _read(reader: Reader, sizes: Mapping[str, int], paths: Sequence) -> Contents:
    space = FactorSpace(sizes)
    return Contents(IMAGE_SHAPE, space, reader(paths[0], len(space)), is_packed=True)


def _beside(sizes: Mapping[str, int], labels: Labels) -> Mapping[str, np.ndarray]:
    """The arrays beside the images; the colour, which is always white, is the first factor in all of them."""
    names = ("color", *(PUBLISHED[name][0] for name in labels.sizes))
    tables = {name: np.linspace(PUBLISHED[name][1], PUBLISHED[name][2], size) for name, size in sizes.items()}
    values = labels.values(tables)
    values = np.insert(values, 0, 1.0, axis=1)
    metadata = {
        "date": "2017",
        "description": f"White sprites in combinations of their factors, the last fastest; {labels.source} images",
        "version": 1,
        "latents_names": names,
        "latents_possible_values": {name: np.unique(column) for name, column in zip(names, values.T, strict=True)},
        "latents_sizes": np.array([1, *labels.sizes.values()]),
        "author": "Loic Matthey, Irina Higgins, Demis Hassabis, Alexander Lerchner",
        "title": "dSprites dataset",
    }
    return {
        "metadata": np.array(metadata, dtype=object),
        "latents/classes": np.insert(labels.classes, 0, 0, axis=1),
        "latents/values": values,
    }
