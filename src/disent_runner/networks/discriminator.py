"""The discriminator of FactorVAE (Kim & Mnih 2018)."""

from collections.abc import Callable
from functools import partial
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.machine.ranges import Count, NonNegative
from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import linear_layers


@final
class MLPDiscriminator(nn.Module):
    """`depth` hidden layers of `width` leaky-ReLU units and `num_outputs` linear outputs; returns logits."""

    def __init__(
        self,
        *,
        num_inputs: int,
        num_outputs: int = 2,
        width: Count = 1000,
        depth: Count = 6,
        negative_slope: NonNegative = 0.2,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"depth is the number of hidden layers and must be 1 or more, got {depth}")
        hidden = linear_layers([num_inputs] + [width] * depth, activation=partial(nn.LeakyReLU, negative_slope))
        self.layers = nn.Sequential(*hidden, nn.Linear(width, num_outputs))
        self.apply(init)

    def forward(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch output"]:
        return self.layers(codes)
