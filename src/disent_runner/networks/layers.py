"""Stacks of layers that the networks are made of."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from disent_runner.networks.to_image import ToImage

SIZES = (16, 32, 64, 128, 256)
CHANNELS = (1, 3)


def halvings_to_4x4(image_shape: tuple[int, int, int]) -> int:
    """Number of stride-2 layers between the image and a 4×4 map.

    Raises ValueError for images that are not square, or whose side is not in `SIZES` or channels not in `CHANNELS`.
    """
    channels, height, width = image_shape
    if channels not in CHANNELS or height != width or height not in SIZES:
        resize = f"{resized(image_shape)}, or " if channels in CHANNELS else ""
        raise ValueError(
            f"convolutional networks take square images with a side in {SIZES} and {CHANNELS[0]} or {CHANNELS[1]} "
            f"channels, got (channel, height, width) = {tuple(image_shape)}; {resize}use network=mlp_dsprites"
        )
    return height.bit_length() - 3


def resized(image_shape: tuple[int, int, int]) -> str:
    """The settings that make such images squares of 64 pixels."""
    _, height, width = image_shape
    crop = f"dataset.crop={min(height, width)} " if height != width else ""
    return f"add {crop}dataset.image_size=64"


def halving_convolutions(channels: Sequence[int], *, kernel_sizes: Sequence[int]) -> nn.Sequential:
    """Convolution and ReLU from each number of channels to the next, each with stride 2; even kernels only."""
    layers: list[nn.Module] = []
    for (before, after), kernel_size in zip(pairwise(channels), kernel_sizes, strict=True):
        padding = (kernel_size - 2) // 2  # the output is exactly half as wide
        layers += [nn.Conv2d(before, after, kernel_size, stride=2, padding=padding), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def doubling_deconvolutions(channels: Sequence[int]) -> nn.Sequential:
    """Transposed convolution (k4 s2 p1) from each number of channels to the next, ReLU between, then an image."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels[:-1]):
        layers += [nn.ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, ToImage(*channels[-2:]))


def linear_layers(sizes: Sequence[int], *, activation: Callable[[], nn.Module] = nn.ReLU) -> list[nn.Module]:
    """Linear layer and activation from each size to the next."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), activation()]
    return layers


@final
class OutputLayer(nn.Linear):
    """A linear layer that autocast leaves in float32, for means and logarithms of variances.

    bfloat16 has eight bits: it would round a mean of 2 to the next 0.016, beside posteriors as narrow as that.
    """

    def forward(self, input: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch output"]:
        if not torch.is_autocast_enabled(input.device.type):
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            return functional.linear(input.float(), self.weight, self.bias)
