"""What a user's own file or folder holds, before anything is made of its labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images in blocks (n, C, H, W) of bytes, and the labels (image,) of each factor by its name, as they are stored.

    `other_sizes` are (height, width) of images that have another than that of `image_shape`.
    """

    num_images: int
    image_shape: tuple[int, int, int]
    blocks: Iterable[np.ndarray]
    labels: Mapping[str, np.ndarray]
    remarks: tuple[str, ...] = ()
    other_sizes: frozenset[tuple[int, int]] = frozenset()
