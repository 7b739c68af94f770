"""A random projection of pixels, which nothing trains: what model-free episodic control sees by (Blundell et al. 2016).

Distances between images hardly change by it (Johnson & Lindenstrauss 1984).
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class RandomProjection(nn.Module):
    """`num_outputs` weighted sums of all pixels, with weights from N(0, 1 / num_outputs), so that the expected squared
    distance of two codes is that of their images. A part of its state, but no parameter.
    """

    def __init__(self, *, image_shape: tuple[int, int, int], num_outputs: int) -> None:
        super().__init__()
        channels, height, width = image_shape
        self.register_buffer("weights", torch.randn(channels * height * width, num_outputs) / num_outputs**0.5)
        self.weights: Tensor

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return images.flatten(1) @ self.weights
