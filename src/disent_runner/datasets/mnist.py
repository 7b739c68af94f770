"""MNIST (LeCun et al. 1998): handwritten digits."""

from functools import partial
from typing import Annotated

from disent_runner.datasets.card import OFFICIAL, Card, Origin, PublishedFile
from disent_runner.datasets.readers.idx import IMAGE_SHAPE, NUM_IMAGES, files_of, other_names, read_labelled, stored_as
from disent_runner.machine.ranges import OneOf

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
COMPRESSED = {
    "train-images-idx3-ubyte": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
PLAIN = {
    "train-images-idx3-ubyte": "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def card(*, part: Annotated[str, OneOf("all", "train", "test")] = "all") -> Card:
    """part: all | train | test."""
    names = files_of(part)
    compressed = tuple(
        PublishedFile(f"{name}.gz", COMPRESSED[name], f"{MIRROR}/{name}.gz", other_names(f"{name}.gz"))
        for name in names
    )
    plain = tuple(PublishedFile(name, PLAIN[name], other_names=other_names(name)) for name in names)
    read = partial(read_labelled, factor="digit", num_values=10)
    return Card(
        name="mnist",
        title="MNIST",
        licence="CC BY-SA 3.0",
        homepage="http://yann.lecun.com/exdb/mnist",
        factors={"digit": 10},
        num_images=NUM_IMAGES[part],
        image_shape=IMAGE_SHAPE,
        stored_as=stored_as("mnist", part),
        origins=(
            Origin(OFFICIAL, read, files=compressed, only_in_subfolder=True),
            Origin(OFFICIAL, read, files=plain, only_in_subfolder=True),
        ),
    )
