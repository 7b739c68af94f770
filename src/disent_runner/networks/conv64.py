"""The convolutional network of Locatello et al. 2019, k4 s2 p1 throughout, for square images of 16 to 256 pixels."""

from collections.abc import Callable
from typing import Annotated, final

from annotated_types import Ge, Le
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


def conv64_channels(image_shape: tuple[int, int, int]) -> list[int]:
    """Channels from the image to the 4×4 map: 32 in the first half of the layers (rounded down), 64 in the rest.

    At 64 pixels they are the published 32, 32, 64, 64. Raises ValueError for an image the network does not take.
    """
    num_layers = halvings_to_4x4(image_shape)
    early = num_layers // 2
    return [image_shape[0]] + [32] * early + [64] * (num_layers - early)


@final
class Conv64Encoder(nn.Module):
    """Convolutions to a 4×4×64 map, 256 hidden units, `num_outputs` linear outputs.

    `late_kernel_size` is the kernel of the 64-channel convolutions: 4, or 2 as in disentanglement_lib.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        init: Callable[[nn.Module], None] = he_uniform,
        late_kernel_size: Annotated[int, Ge(2), Le(4)] = 4,
    ) -> None:
        super().__init__()
        if late_kernel_size not in (2, 4):
            raise ValueError(f"late_kernel_size must be 4 or, as in disentanglement_lib, 2, got {late_kernel_size}")
        channels = conv64_channels(image_shape)
        kernel_sizes = [4 if after == 32 else late_kernel_size for after in channels[1:]]
        self.convolutions = halving_convolutions(channels, kernel_sizes=kernel_sizes)
        self.head = nn.Sequential(nn.Flatten(), *linear_layers([64 * 4 * 4, 256]), OutputLayer(256, num_outputs))
        self.apply(init)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.head(self.convolutions(channels_last_on_cpu(images)))


@final
class Conv64Decoder(nn.Module):
    """256 hidden units, a 4×4×64 map, transposed convolutions to the image; returns logits."""

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        channels = conv64_channels(image_shape)[::-1]
        self.stem = nn.Sequential(*linear_layers([latent_dim, 256, 64 * 4 * 4]), nn.Unflatten(1, (64, 4, 4)))
        self.deconvolutions = doubling_deconvolutions(channels)
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.deconvolutions(channels_last_on_cpu(self.stem(codes)))
