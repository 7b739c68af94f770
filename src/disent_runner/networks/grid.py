"""Networks for images of a few pixels, such as the grid of Independently Controllable Factors (Thomas et al. 2017)."""

from collections.abc import Callable
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.networks.initialization import he_uniform
from disent_runner.networks.layers import OutputLayer

CHANNELS = 16


def grid_map(image_shape: tuple[int, int, int], stride: int) -> tuple[int, int, int]:
    """Shape of the last map of the trunk. ValueError for images that two strides do not halve evenly."""
    _, height, width = image_shape
    if height % stride**2 or width % stride**2:
        raise ValueError(
            f"this network takes images whose sides are multiples of {stride**2}, got (channel, height, width) = "
            f"{tuple(image_shape)}; choose others"
        )
    return (CHANNELS, height // stride**2, width // stride**2)


@final
class GridTrunk(nn.Module):
    """Two convolutions (k3 p1) of 16 channels with ReLU."""

    def __init__(
        self, *, image_shape: tuple[int, int, int], stride: int, init: Callable[[nn.Module], None] = he_uniform
    ) -> None:
        super().__init__()
        self.map_shape = grid_map(image_shape, stride)
        self.layers = nn.Sequential(
            nn.Conv2d(image_shape[0], CHANNELS, kernel_size=3, stride=stride, padding=1),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, kernel_size=3, stride=stride, padding=1),
            nn.ReLU(),
        )
        self.apply(init)

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch map_channel map_height map_width"]:
        return self.layers(images)


@final
class GridHead(nn.Module):
    """`num_hidden` units with ReLU on the trunk's map."""

    def __init__(
        self, *, map_shape: tuple[int, int, int], num_hidden: int, init: Callable[[nn.Module], None] = he_uniform
    ) -> None:
        super().__init__()
        channels, height, width = map_shape
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, num_hidden), nn.ReLU())
        self.apply(init)

    def forward(self, maps: Float[Tensor, "batch map_channel map_height map_width"]) -> Float[Tensor, "batch hidden"]:
        return self.layers(maps)


@final
class GridOutput(nn.Module):
    """A linear layer that autocast leaves in float32: features, or logits of policies."""

    def __init__(self, *, num_hidden: int, num_outputs: int, init: Callable[[nn.Module], None] = he_uniform) -> None:
        super().__init__()
        self.layer = OutputLayer(num_hidden, num_outputs)
        self.apply(init)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch output"]:
        return self.layer(hidden)


@final
class GridDecoder(nn.Module):
    """Mirror image of the trunk; returns logits. With `num_hidden` it mirrors the head too and reads its units."""

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        stride: int,
        num_hidden: int | None,
        init: Callable[[nn.Module], None] = he_uniform,
    ) -> None:
        super().__init__()
        channels, height, width = grid_map(image_shape, stride)
        stem: list[nn.Module] = []
        if num_hidden is not None:
            stem = [nn.Linear(num_hidden, channels * height * width), nn.ReLU()]
            stem += [nn.Unflatten(1, (channels, height, width))]
        self.layers = nn.Sequential(
            *stem,
            nn.ConvTranspose2d(channels, CHANNELS, 3, stride=stride, padding=1, output_padding=stride - 1),
            nn.ReLU(),
            nn.ConvTranspose2d(CHANNELS, image_shape[0], 3, stride=stride, padding=1, output_padding=stride - 1),
        )
        self.apply(init)

    def forward(self, hidden: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch channel height width"]:
        return self.layers(hidden)
