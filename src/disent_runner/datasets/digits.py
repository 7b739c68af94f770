"""The handwritten digits of scikit-learn (Alpaydin and Kaynak 1998), the test set of UCI's optical recognition set."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from disent_runner.datasets.card import Card, Contents, Origin, PublishedFile, in_blocks
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.labelled_csv import read_labelled_csv

IMAGE_SHAPE = (1, 8, 8)
NUM_IMAGES = 1797
WHITE = 16


def card(*, num_images: int = NUM_IMAGES) -> Card:
    return Card(
        name="digits",
        title="scikit-learn's digits",
        licence="CC BY 4.0",
        homepage="https://archive.ics.uci.edu/dataset/80",
        factors={"digit": 10},
        num_images=num_images,
        image_shape=IMAGE_SHAPE,
        origins=(
            Origin(
                "scikit-learn",
                partial(_read, num_images),
                files=(PublishedFile("digits.csv.gz"),),
                package="sklearn/datasets/data",
            ),
        ),
    )


def _read(num_images: int, paths: Sequence[Path]) -> Contents:
    images, digits = read_labelled_csv(
        paths[0], image_shape=IMAGE_SHAPE, num_images=num_images, brightest=WHITE, num_values=10
    )
    scaled = ((images.astype(np.uint16) * 255 + WHITE // 2) // WHITE).astype(np.uint8)
    return Contents(IMAGE_SHAPE, LabelTable({"digit": 10}, digits[:, None]), in_blocks(scaled))
