"""Generators and the trunks that discriminators, critics and code predictors share (DCGAN, Radford et al. 2016)."""

import math
from collections.abc import Sequence
from typing import Annotated, final

from annotated_types import Ge, Le, MinLen
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from disent_runner.machine.ranges import Count, Counts, NonNegative, OneOf
from disent_runner.networks.layers import OutputLayer
from disent_runner.networks.layout import channels_last_on_cpu
from disent_runner.networks.to_image import ToImage

Norm = Annotated[str, OneOf("batch", "layer", "none")]
Strides = Annotated[Sequence[Annotated[int, Ge(1), Le(2)]], MinLen(1)]
WEIGHT_STD = 0.02


@final
class ConvTrunk(nn.Module):
    """Convolutions of 4x4, each with its channels and stride, then a hidden layer unless `hidden` is None.

    Leaky ReLU throughout; `norm` (batch, layer or none) after every layer but the first. Images are centred first.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        channels: Counts,
        strides: Strides,
        hidden: Count | None,
        norm: Norm,
        slope: NonNegative,
    ) -> None:
        super().__init__()
        side = _check(image_shape, channels, strides, norm)
        layers: list[nn.Module] = []
        before = image_shape[0]
        for number, (after, stride) in enumerate(zip(channels, strides, strict=True)):
            normalisation = _normalisation(norm, after, number)
            layers += [*_convolution(before, after, stride, bias=not normalisation), *normalisation]
            layers.append(nn.LeakyReLU(slope))
            before = after
        layers.append(nn.Flatten())
        self.num_features = before * side**2
        if hidden is not None:
            normalisation = _normalisation(norm, hidden, 1, flat=True)
            layers += [nn.Linear(self.num_features, hidden, bias=not normalisation), *normalisation]
            layers.append(nn.LeakyReLU(slope))
            self.num_features = hidden
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch feature"]:
        return self.layers(channels_last_on_cpu(2 * images - 1))


@final
class ConvGenerator(nn.Module):
    """A hidden layer unless `hidden` is None, a small map of `channels[0]`, then layers of 4x4 with these strides.

    The last layer makes the image, in [0, 1] by a sigmoid or a tanh. ReLU and batch normalisation everywhere else.
    """

    def __init__(
        self,
        *,
        num_inputs: int,
        image_shape: tuple[int, int, int],
        hidden: Count | None,
        channels: Counts,
        strides: Strides,
        output: Annotated[str, OneOf("sigmoid", "tanh")],
    ) -> None:
        super().__init__()
        if output not in ("sigmoid", "tanh"):
            raise ValueError(f"model.generator.output must be sigmoid or tanh, got {output!r}")
        side = _check(image_shape, channels, strides, "batch")
        layers: list[nn.Module] = []
        width = num_inputs
        if hidden is not None:
            layers += [nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
            width = hidden
        layers += [nn.Linear(width, channels[0] * side**2, bias=False), nn.BatchNorm1d(channels[0] * side**2)]
        self.stem = nn.Sequential(*layers, nn.ReLU(), nn.Unflatten(1, (channels[0], side, side)))
        layers = []
        for before, after, stride in zip(channels, channels[1:], strides, strict=False):
            layers += [*_transposed(before, after, stride, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        before, after = channels[-1], image_shape[0]
        layers += [ToImage(before, after)] if strides[-1] == 2 else _convolution(before, after, 1, bias=True)
        self.layers = nn.Sequential(*layers)
        self.output = output
        initialise(self)

    def forward(self, codes: Float[Tensor, "batch code"]) -> Float[Tensor, "batch channel height width"]:
        logits = self.layers(channels_last_on_cpu(self.stem(codes)))
        return logits.sigmoid() if self.output == "sigmoid" else (logits.tanh() + 1) / 2


@final
class CodeHead(nn.Module):
    """From features to numbers: a hidden layer with batch normalisation, or none where `hidden` is None."""

    def __init__(
        self, *, num_inputs: int, num_outputs: int, hidden: Count | None, norm: Norm, slope: NonNegative
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if hidden is not None:
            normalisation = _normalisation(norm, hidden, 1, flat=True)
            layers += [nn.Linear(num_inputs, hidden, bias=not normalisation), *normalisation, nn.LeakyReLU(slope)]
            num_inputs = hidden
        self.layers = nn.Sequential(*layers, OutputLayer(num_inputs, num_outputs))
        initialise(self)

    def forward(self, features: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch output"]:
        return self.layers(features)


def initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02²), scales of normalisations from N(1, 0.02²), no biases (Radford et al. 2016)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, std=WEIGHT_STD)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
            nn.init.normal_(layer.weight, mean=1.0, std=WEIGHT_STD)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def spectrally_normalised(network: nn.Module) -> nn.Module:
    """The network with the weight of each layer divided by its largest singular value (Miyato et al. 2018).

    A matrix's rows are the layer's outputs; torch's power iteration takes a step in each pass of training.
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)
    return network


def _check(image_shape: tuple[int, int, int], channels: Sequence[int], strides: Sequence[int], norm: str) -> int:
    """Side of the smallest map. ValueError for images or layers that do not fit."""
    _, height, width = image_shape
    if norm not in ("batch", "layer", "none"):
        raise ValueError(f"norm must be batch, layer or none, got {norm!r}")
    if len(channels) != len(strides) or not channels or any(stride not in (1, 2) for stride in strides):
        raise ValueError(f"channels {list(channels)} need as many strides of 1 or 2, got {list(strides)}")
    side, rest = divmod(height, math.prod(strides))
    if height != width or rest or side < 1:
        raise ValueError(
            f"strides {list(strides)} need square images with a side divisible by {math.prod(strides)}, got "
            f"{height}x{width}; set dataset.image_size, or choose another gan=…"
        )
    return side


def _convolution(before: int, after: int, stride: int, *, bias: bool) -> list[nn.Module]:
    """Without a bias where a normalisation follows, which has one."""
    if stride == 1:  # of the same size, for which an even kernel needs one more pixel on one side
        return [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, after, 4, bias=bias)]
    return [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=bias)]


def _transposed(before: int, after: int, stride: int, *, bias: bool) -> list[nn.Module]:
    if stride == 1:
        return _convolution(before, after, stride, bias=bias)
    return [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)]


def _normalisation(norm: str, width: int, number: int, *, flat: bool = False) -> list[nn.Module]:
    """None after the first layer. A normalisation of the batch would make images of it depend on each other."""
    if norm == "none" or number == 0:
        return []
    if norm == "layer":
        return [nn.LayerNorm(width) if flat else nn.GroupNorm(1, width)]
    return [nn.BatchNorm1d(width) if flat else nn.BatchNorm2d(width)]
