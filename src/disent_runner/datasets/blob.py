"""A Gaussian blob at 32 x 32 positions: the simplest data set with two factors."""

import math

import numpy as np

from disent_runner.datasets.card import Card, Contents, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.rendering.blobs import BLOB_SIZES, IMAGE_SIDE, render_blobs

IMAGE_SHAPE = (1, IMAGE_SIDE, IMAGE_SIDE)


def card() -> Card:
    return Card(
        name="blob",
        title="a Gaussian blob",
        licence="MIT, as this program",
        homepage="docs/datasets",
        factors=BLOB_SIZES,
        num_images=math.prod(BLOB_SIZES.values()),
        image_shape=IMAGE_SHAPE,
        origins=(rendered(_render),),
    )


def _render() -> Contents:
    space = FactorSpace(BLOB_SIZES)
    images = render_blobs(space.factors(np.arange(len(space))))
    return Contents(IMAGE_SHAPE, space, (images[:, None],))
