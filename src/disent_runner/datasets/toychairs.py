"""Chairs from boxes, turned all around: a stand-in for 3D Chairs."""

import math

from disent_runner.datasets.card import Card, Contents, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.rendering.chairs import CHAIR_SIZES, IMAGE_SIDE, chair_blocks

IMAGE_SHAPE = (1, IMAGE_SIDE, IMAGE_SIDE)


def card() -> Card:
    return Card(
        name="toychairs",
        title="toy chairs",
        licence="MIT, as this program",
        homepage="docs/datasets",
        factors=CHAIR_SIZES,
        num_images=math.prod(CHAIR_SIZES.values()),
        image_shape=IMAGE_SHAPE,
        periods={"rotation": CHAIR_SIZES["rotation"]},
        origins=(rendered(_render),),
    )


def _render() -> Contents:
    return Contents(IMAGE_SHAPE, FactorSpace(CHAIR_SIZES), (block[:, None] for block in chair_blocks()))
