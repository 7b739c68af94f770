"""Small networks between symbols and codes, and the encoder of images and symbols together."""

from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.machine.ranges import Count
from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer, linear_layers


@final
class SymbolNetwork(nn.Module):
    """One hidden layer of ReLU units: from symbols to a posterior, or from codes to logits of symbols."""

    def __init__(
        self,
        *,
        num_inputs: int,
        num_outputs: int,
        hidden: Count = 100,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(*linear_layers([num_inputs, hidden]), OutputLayer(hidden, num_outputs))
        self.apply(init)

    def forward(self, inputs: Float[Tensor, "batch input"]) -> Float[Tensor, "batch output"]:
        return self.layers(inputs)


@final
class JointEncoder(nn.Module):
    """Posteriors of images and symbols together, and of the images alone, on the same features of the images.

    Those are `image_hidden` ReLU units on top of an image encoder; beside `symbol_hidden` units of the symbols they go
    to a layer of `hidden` units. `images_alone` false: without the second posterior.
    """

    def __init__(
        self,
        *,
        encoder: Callable[..., nn.Module],
        image_shape: tuple[int, int, int],
        num_symbols: int,
        num_outputs: int,
        images_alone: bool = True,
        image_hidden: Count = 256,
        symbol_hidden: Count = 100,
        hidden: Count = 256,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        self.symbols = nn.Sequential(*linear_layers([num_symbols, symbol_hidden]))
        both = linear_layers([image_hidden + symbol_hidden, hidden])
        self.both = nn.Sequential(*both, OutputLayer(hidden, num_outputs))
        self.alone = OutputLayer(image_hidden, num_outputs) if images_alone else None
        self.apply(init)
        self.images = encoder(image_shape=image_shape, num_outputs=image_hidden)  # with its own init

    def forward(
        self, images: Float[Tensor, "batch channel height width"], symbols: Float[Tensor, "batch symbol"]
    ) -> tuple[Float[Tensor, "batch output"], Float[Tensor, "batch output"] | None]:
        features = torch.relu(self.images(images))
        both = self.both(torch.cat([features, self.symbols(symbols)], dim=1))
        return both, None if self.alone is None else self.alone(features)

    def of_images(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch output"]:
        """Of images without symbols."""
        assert self.alone is not None
        return self.alone(torch.relu(self.images(images)))
