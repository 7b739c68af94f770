"""The convolutional network of DC-IGN (Kulkarni et al. 2015, from their code), without padding.

Published for faces of 150 pixels; here for square images of every size from 32 pixels on.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.machine.ranges import Counts
from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer, resized
from disent_runner.networks.layout import channels_last_on_cpu

HEAD_STD = 0.01


def checked_side(image_shape: tuple[int, int, int], *, num_layers: int) -> int:
    """Side of the image; ValueError if it is not square, or if `num_layers` convolutions would leave nothing of it."""
    _, height, width = image_shape
    smallest = 9 * 2 ** (num_layers - 1) - 4  # the last map is then one pixel, which is not pooled
    if height != width or height < smallest:
        raise ValueError(
            f"network=dcign takes square images of {smallest} pixels or more, got (channel, height, width) = "
            f"{tuple(image_shape)}; {resized(image_shape)}, or use network=mlp_dsprites"
        )
    return height


def decoded_from(side: int, *, num_layers: int) -> int:
    """Side of the smallest map that `num_layers` times of doubling and convolution (7x7) make at least `side` pixels.

    A map of 6 + n pixels becomes one of 6 + 2n: 15 pixels become 24, 42, 78 and the published 150.
    """
    return 6 + -(-(side - 6) // 2**num_layers)


@final
class DCIGNEncoder(nn.Module):
    """A convolution (k5), max-pooling by 2 and ReLU for each of `channels`, then `num_outputs` linear outputs.

    Weights and biases of the outputs start from N(0, 0.01²), as in the published code; `init` is for the convolutions.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        channels: Counts,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        side = checked_side(image_shape, num_layers=len(channels))
        layers: list[nn.Module] = []
        for before, after in pairwise([image_shape[0], *channels]):
            layers += [nn.Conv2d(before, after, kernel_size=5), nn.MaxPool2d(min(2, side - 4)), nn.ReLU(inplace=True)]
            side = max(1, (side - 4) // 2)
        self.convolutions = nn.Sequential(*layers)
        outputs = OutputLayer(channels[-1] * side**2, num_outputs)
        self.head = nn.Sequential(nn.Flatten(), outputs)
        self.convolutions.apply(init)
        nn.init.normal_(outputs.weight, std=HEAD_STD)
        nn.init.normal_(outputs.bias, std=HEAD_STD)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.head(self.convolutions(channels_last_on_cpu(images)))


@final
class DCIGNDecoder(nn.Module):
    """A linear layer to a small map, then nearest upsampling by 2 and a convolution (k7) to each next map; logits.

    `channels` are the encoder's: the maps have them backwards and the first of them once more. What the last map has
    more than the image, which is nothing at 150 pixels and up to 15 at other sizes, is cut off all around.
    """

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        channels: Counts,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        self.side = checked_side(image_shape, num_layers=len(channels))
        maps = [*reversed(channels), channels[0], image_shape[0]]
        side = decoded_from(self.side, num_layers=len(maps) - 1)
        self.stem = nn.Sequential(nn.Linear(latent_dim, maps[0] * side**2), nn.Unflatten(1, (maps[0], side, side)))
        layers: list[nn.Module] = []
        for before, after in pairwise(maps):
            layers += [nn.ReLU(inplace=True), nn.Upsample(scale_factor=2), nn.Conv2d(before, after, kernel_size=7)]
        self.convolutions = nn.Sequential(*layers)
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        logits = self.convolutions(channels_last_on_cpu(self.stem(codes)))
        margin = (logits.shape[-1] - self.side) // 2
        return logits[..., margin : margin + self.side, margin : margin + self.side]
