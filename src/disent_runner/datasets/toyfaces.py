"""Shaded heads by identity, azimuth, elevation and light: a stand-in for 3D Faces."""

import math

from disent_runner.datasets.card import Card, Contents, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.rendering.faces import FACE_SIDE, FACE_SIZES, face_blocks

IMAGE_SHAPE = (1, FACE_SIDE, FACE_SIDE)


def card() -> Card:
    return Card(
        name="toyfaces",
        title="toy faces",
        licence="MIT, as this program",
        homepage="docs/datasets",
        factors=FACE_SIZES,
        num_images=math.prod(FACE_SIZES.values()),
        image_shape=IMAGE_SHAPE,
        origins=(rendered(_render),),
    )


def _render() -> Contents:
    return Contents(IMAGE_SHAPE, FactorSpace(FACE_SIZES), (block[:, None] for block in face_blocks()))
