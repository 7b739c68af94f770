"""The convolutional network of Chen et al. 2018: batch normalisation everywhere, 512 channels at 1×1."""

from collections.abc import Callable
from itertools import pairwise
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.networks.conv64 import conv64_channels
from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer
from disent_runner.networks.layout import channels_last_on_cpu
from disent_runner.networks.to_image import ToImage


def normalised(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    """The convolution, batch normalisation and ReLU; give the convolution no bias, normalisation would remove it."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)]


@final
class ChenConvEncoder(nn.Module):
    """Convolutions 32, 32, 64, 64 (k4 s2 p1) and 512 (k4, to 1×1), then `num_outputs` linear outputs.

    Other image sizes than 64 follow the channel rule of `conv64`. Training needs batches of two images or more.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(conv64_channels(image_shape)):
            layers += normalised(nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1, bias=False))
        layers += normalised(nn.Conv2d(64, 512, kernel_size=4, bias=False))
        self.convolutions = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Flatten(), OutputLayer(512, num_outputs))
        self.apply(init)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.head(self.convolutions(channels_last_on_cpu(images)))


@final
class ChenConvDecoder(nn.Module):
    """Mirror image of the encoder, from codes as 1×1 maps; the last layer is linear and returns logits."""

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        image_channels, *channels = conv64_channels(image_shape)
        layers = normalised(nn.ConvTranspose2d(latent_dim, 512, kernel_size=1, bias=False))
        layers += normalised(nn.ConvTranspose2d(512, 64, kernel_size=4, bias=False))
        for before, after in pairwise(channels[::-1]):
            layers += normalised(nn.ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1, bias=False))
        self.deconvolutions = nn.Sequential(*layers, ToImage(channels[0], image_channels))
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.deconvolutions(channels_last_on_cpu(codes[:, :, None, None]))
