"""The fully connected network that Higgins et al. 2017 used for dSprites; takes images of any shape."""

import math
from collections.abc import Callable
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer, linear_layers


@final
class MLPDspritesEncoder(nn.Module):
    """Two hidden layers of 1200 ReLU units and `num_outputs` linear outputs."""

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_outputs: int,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        hidden = linear_layers([math.prod(image_shape), 1200, 1200])
        self.layers = nn.Sequential(nn.Flatten(), *hidden, OutputLayer(1200, num_outputs))
        self.apply(init)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        return self.layers(images)


@final
class MLPDspritesDecoder(nn.Module):
    """Three hidden layers of 1200 tanh units; returns logits."""

    def __init__(
        self,
        *,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        hidden = linear_layers([latent_dim, 1200, 1200, 1200], activation=nn.Tanh)
        self.layers = nn.Sequential(*hidden, nn.Linear(1200, math.prod(image_shape)), nn.Unflatten(1, image_shape))
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.layers(codes)
