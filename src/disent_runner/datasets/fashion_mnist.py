"""Fashion-MNIST (Xiao et al. 2017): clothes, shoes and bags in the format of MNIST."""

from functools import partial
from typing import Annotated

from disent_runner.datasets.card import OFFICIAL, Card, Origin, PublishedFile
from disent_runner.datasets.readers.idx import IMAGE_SHAPE, NUM_IMAGES, files_of, other_names, read_labelled, stored_as
from disent_runner.machine.ranges import OneOf

REPOSITORY = "https://github.com/zalandoresearch/fashion-mnist"
COMPRESSED = {
    "train-images-idx3-ubyte": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}
PLAIN = {
    "train-images-idx3-ubyte": "sha256:c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "sha256:bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "sha256:5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "sha256:0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
CLASSES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist"
DEBIAN = {
    "train-images-idx3-ubyte": "md5:cf8536b0aa1a6ac5fa3f23001093305c",
    "train-labels-idx1-ubyte": "md5:10bea18fdb374794d4bb42e356e600c9",
    "t10k-images-idx3-ubyte": "md5:f78720b4224f21cce2f2ccf2d7a94c9a",
    "t10k-labels-idx1-ubyte": "md5:0d30e22e447f3c33dab9ed536400ac01",
}
"""The published files but for the name and the time in their first bytes, which the package leaves out."""


def card(*, part: Annotated[str, OneOf("all", "train", "test")] = "all") -> Card:
    """part: all | train | test."""
    names = files_of(part)
    compressed = tuple(
        PublishedFile(
            f"{name}.gz",
            COMPRESSED[name],
            f"{REPOSITORY}/raw/master/data/fashion/{name}.gz",
            other_names(f"{name}.gz"),
        )
        for name in names
    )
    plain = tuple(PublishedFile(name, PLAIN[name], other_names=other_names(name)) for name in names)
    debian = tuple(PublishedFile(f"{name}.gz", DEBIAN[name]) for name in names)
    read = partial(read_labelled, factor="class", num_values=10)
    return Card(
        name="fashion_mnist",
        title="Fashion-MNIST",
        licence="MIT",
        homepage=REPOSITORY,
        factors={"class": 10},
        num_images=NUM_IMAGES[part],
        image_shape=IMAGE_SHAPE,
        value_names={"class": CLASSES},
        stored_as=stored_as("fashion_mnist", part),
        origins=(
            Origin(OFFICIAL, read, files=compressed, only_in_subfolder=True),
            Origin(OFFICIAL, read, files=plain, only_in_subfolder=True),
            Origin(
                OFFICIAL,
                read,
                files=debian,
                only_in_subfolder=True,
                folder=DEBIAN_FOLDER,
                hint="run `apt-get install dataset-fashion-mnist`",
            ),
        ),
    )
