"""Falcor3D (Nie et al. 2020): 233,280 renderings of a living room, 128x128 colour of 1024x1024; light and camera.

`Falcor3D_down128`, or a zip of it, holds `images/NNNNNN.png` and `train-rec.labels`, an array. Factors are in the order
of the publishers' `dataset_demo.py` (NVlabs/High-res-disentanglement-datasets, 6233714).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.readers.numbered_images import numbered_images

ID = "1XAQfFK1x6cpN1eiovbP0hVfLTm5SsSoJ"
FACTORS = {
    "lighting_intensity": 5,
    "lighting_x_dir": 6,
    "lighting_y_dir": 6,
    "lighting_z_dir": 6,
    "camera_x_pos": 6,
    "camera_y_pos": 6,
    "camera_z_pos": 6,
}


def card(*, factors: Mapping[str, int] | None = None) -> Card:
    """factors: those that the files have, instead of the published ones."""
    sizes = dict(factors or FACTORS)

    def read(paths: Sequence[Path]) -> Contents:
        return numbered_images(paths[0], sizes, labels="train-rec.labels")

    hint = f"download it by hand from https://drive.google.com/uc?export=download&id={ID} (3.7 GB)"
    files = (PublishedFile("Falcor3D_down128.zip"), PublishedFile("Falcor3D_down128"))
    return Card(
        name="falcor3d",
        title="Falcor3D",
        licence="CC BY 4.0",
        homepage="https://github.com/NVlabs/High-res-disentanglement-datasets",
        factors=sizes,
        num_images=math.prod(sizes.values()),
        image_shape=(3, 128, 128),
        origins=tuple(Origin(OFFICIAL, read, files=(file,), hint=hint) for file in files),
    )
