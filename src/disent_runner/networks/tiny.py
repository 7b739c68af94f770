"""A small convolutional network for tests and first tries."""

from collections.abc import Callable
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import (
    OutputLayer,
    doubling_deconvolutions,
    halving_convolutions,
    halvings_to_4x4,
    linear_layers,
)
from disent_runner.networks.layout import channels_last_on_cpu


def tiny_map(image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Shape of the last map; ValueError for the images that `conv64` would not take either."""
    side = 2 ** halvings_to_4x4(image_shape)
    return (32, side, side)


@final
class TinyEncoder(nn.Module):
    """Convolutions 16 and 32 (k4 s2 p1), 64 hidden units and `num_outputs` linear outputs."""

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        channels, height, width = tiny_map(image_shape)
        self.convolutions = halving_convolutions([image_shape[0], 16, 32], kernel_sizes=[4, 4])
        hidden = linear_layers([channels * height * width, 64])
        self.head = nn.Sequential(nn.Flatten(), *hidden, OutputLayer(64, num_outputs))
        self.apply(init)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.head(self.convolutions(channels_last_on_cpu(images)))


@final
class TinyDecoder(nn.Module):
    """Mirror image of the encoder; returns logits."""

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        channels, height, width = tiny_map(image_shape)
        hidden = linear_layers([latent_dim, 64, channels * height * width])
        self.stem = nn.Sequential(*hidden, nn.Unflatten(1, (channels, height, width)))
        self.deconvolutions = doubling_deconvolutions([32, 16, image_shape[0]])
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.deconvolutions(channels_last_on_cpu(self.stem(codes)))
