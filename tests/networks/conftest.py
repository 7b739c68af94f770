"""What a network is made of, in numbers that can be compared with a table."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

Facts = list[tuple[Any, ...]]


@pytest.fixture
def geometry() -> Callable[[nn.Module], Facts]:
    """`geometry(network)`: (in, out) of linear layers, (in, out, kernel, stride, padding) of convolutions, in order."""

    def facts(network: nn.Module) -> Facts:
        found: Facts = []
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                found.append((layer.in_features, layer.out_features))
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                sides = (layer.kernel_size, layer.stride, layer.padding)
                assert all(side[0] == side[1] for side in sides)
                found.append((layer.in_channels, layer.out_channels, *(side[0] for side in sides)))
        return found

    return facts


@pytest.fixture
def activations() -> Callable[[nn.Module], list[str]]:
    """`activations(network)`: the class names of all layers without weights, in order."""
    weighted = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Sequential)

    def names(network: nn.Module) -> list[str]:
        inner = [layer for layer in network.modules() if layer is not network]
        return [type(layer).__name__ for layer in inner if not isinstance(layer, weighted)]

    return names


@pytest.fixture
def num_parameters() -> Callable[[nn.Module], int]:
    return lambda network: sum(parameter.numel() for parameter in network.parameters())
