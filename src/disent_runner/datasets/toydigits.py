"""Handwritten-looking digits whose style, rotation, slant and thickness are known: a stand-in for MNIST."""

import math

from disent_runner.datasets.card import Card, Contents, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.rendering.digits import DIGIT_SIZES, IMAGE_SIDE, digit_blocks

IMAGE_SHAPE = (1, IMAGE_SIDE, IMAGE_SIDE)


def card() -> Card:
    return Card(
        name="toydigits",
        title="toy digits",
        licence="MIT, as this program",
        homepage="docs/datasets",
        factors=DIGIT_SIZES,
        num_images=math.prod(DIGIT_SIZES.values()),
        image_shape=IMAGE_SHAPE,
        origins=(rendered(_render),),
    )


def _render() -> Contents:
    return Contents(IMAGE_SHAPE, FactorSpace(DIGIT_SIZES), (block[:, None] for block in digit_blocks()))
