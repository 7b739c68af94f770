"""Isaac3D (Nie et al. 2020): 737,280 renderings of a robot arm in a kitchen, 128x128 colour of 512x512; nine factors.

`Isaac3D_down128`, or a zip of it, holds `images/NNNNNN.png` and `labels.npy`. Factors are in the order of the
publishers' `dataset_demo.py` (NVlabs/High-res-disentanglement-datasets, 6233714), which is that of the labels; the
formula of their README names them in another, whose factors of 8, 5 and 4 values do not go with its numbers.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.readers.numbered_images import numbered_images

ID = "1OmQ1G2wnm6eTsSFGTKFZZAh5D3nQTW1B"
FACTORS = {
    "object_shape": 3,
    "robot_x_move": 8,
    "robot_y_move": 5,
    "camera_height": 4,
    "object_scale": 4,
    "lighting_intensity": 4,
    "lighting_y_dir": 6,
    "object_color": 4,
    "wall_color": 4,
}


def card(*, factors: Mapping[str, int] | None = None) -> Card:
    """factors: those that the files have, instead of the published ones."""
    sizes = dict(factors or FACTORS)

    def read(paths: Sequence[Path]) -> Contents:
        return numbered_images(paths[0], sizes, labels="labels.npy")

    hint = f"download it by hand from https://drive.google.com/uc?export=download&id={ID} (13 GB)"
    files = (PublishedFile("Isaac3D_down128.zip"), PublishedFile("Isaac3D_down128"))
    return Card(
        name="isaac3d",
        title="Isaac3D",
        licence="CC BY 4.0",
        homepage="https://github.com/NVlabs/High-res-disentanglement-datasets",
        factors=sizes,
        num_images=math.prod(sizes.values()),
        image_shape=(3, 128, 128),
        origins=tuple(Origin(OFFICIAL, read, files=(file,), hint=hint) for file in files),
    )
