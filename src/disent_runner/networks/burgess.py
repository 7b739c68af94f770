"""The convolutional network of Burgess et al. 2018 for square images of 16 to 256 pixels."""

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


@final
class BurgessEncoder(nn.Module):
    """32-channel convolutions (k4 s2 p1; four of them at 64 pixels) to 4×4, twice 256 units, linear outputs."""

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        num_layers = halvings_to_4x4(image_shape)
        self.convolutions = halving_convolutions([image_shape[0]] + [32] * num_layers, kernel_sizes=[4] * num_layers)
        self.head = nn.Sequential(nn.Flatten(), *linear_layers([32 * 4 * 4, 256, 256]), OutputLayer(256, num_outputs))
        self.apply(init)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.head(self.convolutions(channels_last_on_cpu(images)))


@final
class BurgessDecoder(nn.Module):
    """Mirror image of the encoder; returns logits."""

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        num_layers = halvings_to_4x4(image_shape)
        self.stem = nn.Sequential(*linear_layers([latent_dim, 256, 256, 32 * 4 * 4]), nn.Unflatten(1, (32, 4, 4)))
        self.deconvolutions = doubling_deconvolutions([32] * num_layers + [image_shape[0]])
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.deconvolutions(channels_last_on_cpu(self.stem(codes)))
