"""Layers that mix two vectors by all products of their parts."""

from collections.abc import Callable
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer

SLOPE = 0.1


@final
class OuterLayers(nn.Module):
    """A hidden layer with LeakyReLU on the outer product of two vectors, and a linear one, which autocast leaves alone.

    As in the authors' code of continuous ICF (bengioe/implementations, DL/ICF_factors, 872aad8); with batch
    normalization where it has one.
    """

    def __init__(
        self,
        *,
        sizes: tuple[int, int],
        num_hidden: int,
        num_outputs: int,
        batch_norm: bool,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        norm: list[nn.Module] = [nn.BatchNorm1d(num_hidden)] if batch_norm else []
        self.hidden = nn.Sequential(nn.Linear(sizes[0] * sizes[1], num_hidden), *norm, nn.LeakyReLU(SLOPE))
        self.output = OutputLayer(num_hidden, num_outputs)
        self.apply(init)

    def forward(self, one: Float[Tensor, "*batch part"], other: Float[Tensor, "*batch other"]) -> Float[Tensor, "..."]:
        """(*batch, output)"""
        products = (one[..., :, None] * other[..., None, :]).flatten(-2)
        found = self.output(self.hidden(products.flatten(0, -2)))
        return found.unflatten(0, products.shape[:-1])
