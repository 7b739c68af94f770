"""The network of SCAN's operators, the same for every component of a code (Higgins et al. 2018)."""

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from disent_runner.machine.ranges import Count
from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer, linear_layers


@final
class RecombinationNetwork(nn.Module):
    """Mean and log variance of a component of the result, of those of two concepts' components.

    A 1×1 convolution over components: 4 numbers, `hidden` ReLU units, a mean and a log variance for each operator. No
    component sees another, so that permuting them permutes the result.
    """

    def __init__(
        self, *, num_operators: int, hidden: Count = 1024, init: Callable[[nn.Module], None] = he_uniform
    ) -> None:
        super().__init__()
        self.num_operators = num_operators
        self.layers = nn.Sequential(*linear_layers([4, hidden]), OutputLayer(hidden, 2 * num_operators))
        self.apply(init)

    def forward(
        self, operators: Int[Tensor, " batch"], components: Float[Tensor, "batch latent 4"]
    ) -> Float[Tensor, "batch latent 2"]:
        batch, latent, _ = components.shape
        outputs = self.layers(components.reshape(-1, 4)).view(batch, latent, 2, self.num_operators)
        chosen = operators[:, None, None, None].expand(batch, latent, 2, 1)
        return torch.gather(outputs, 3, chosen).squeeze(3)
