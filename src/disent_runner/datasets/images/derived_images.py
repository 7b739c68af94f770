"""Images computed from another store's when they are asked for: another background, other colours, grey."""

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent_runner.datasets.images.image_store import ImageStore
from disent_runner.datasets.images.transform import LUMA

Derivation = Callable[[Tensor, Tensor], Tensor]
"""(images (B, C, H, W) in [0, 1], their indices (B,) on the same device) -> the images to show, in [0, 1].

A pure function of each image and its index, so that the same image always looks the same.
"""


@final
class DerivedImages(ImageStore):
    """What `derive` makes of a store's images, with `num_channels` channels."""

    def __init__(self, images: ImageStore, *, derive: Derivation, num_channels: int) -> None:
        self._images = images
        self._derive = derive
        self._num_channels = num_channels

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self._num_channels, *self._images.image_shape[1:]

    def gather(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel height width"]:
        return self._derive(self._images.gather(indices), indices.to(self.device, non_blocking=True))

    def to(self, device: torch.device | str) -> "DerivedImages":
        images = self._images.to(device)
        if images is self._images:
            return self
        return DerivedImages(images, derive=self._derive, num_channels=self._num_channels)

    def __len__(self) -> int:
        return len(self._images)

    @property
    def device(self) -> torch.device:
        return self._images.device

    @property
    def nbytes(self) -> int:
        return self._images.nbytes


def in_grey(
    images: Float[Tensor, "batch 3 height width"], indices: Int[Tensor, " batch"]
) -> Float[Tensor, "batch 1 height width"]:
    """The luma of ITU-R BT.601."""
    red, green, blue = (LUMA / 1000).tolist()
    return (images[:, :1] * red).add_(images[:, 1:2], alpha=green).add_(images[:, 2:], alpha=blue)
