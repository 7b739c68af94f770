"""The denoising auto-encoder of DARLA and SCAN (Higgins et al. 2017, 2018), for square images of 16 to 256 pixels."""

from collections.abc import Callable
from itertools import pairwise
from typing import final

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from disent_runner.networks.conv64 import conv64_channels
from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer, linear_layers
from disent_runner.networks.layout import channels_last_on_cpu
from disent_runner.networks.to_image import ToImage


@final
class DAEEncoder(nn.Module):
    """Convolutions (k4 s2 p1) with ELU to a 4×4×64 map, `num_outputs` linear outputs."""

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        channels = conv64_channels(image_shape)
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1), nn.ELU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), OutputLayer(64 * 4 * 4, num_outputs))
        self.apply(init)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.layers(channels_last_on_cpu(images))


@final
class DAEDecoder(nn.Module):
    """Mirror image of the encoder; returns logits."""

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        *channels, image_channels = conv64_channels(image_shape)[::-1]
        self.stem = nn.Sequential(
            *linear_layers([latent_dim, 64 * 4 * 4], activation=nn.ELU), nn.Unflatten(1, (64, 4, 4))
        )
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1), nn.ELU()]
        self.deconvolutions = nn.Sequential(*layers[:-1])
        self.to_image = ToImage(channels[-1], image_channels)
        self.apply(init)

    def hidden(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel half_height half_width"]:
        """The last hidden layer before its activation."""
        return self.deconvolutions(channels_last_on_cpu(self.stem(codes)))

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.to_image(functional.elu(self.hidden(codes)))
