"""How the weights of a network start; each function is applied to every module by `network.apply(init)`."""

import math

import torch
from torch import nn

WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def fan_in(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Number of inputs that reach one output of the layer, away from the border.

    A transposed convolution spreads each input over kernel² outputs and makes stride² outputs per input, so
    kernel² / stride² inputs per channel meet in an output. torch.nn.init reads its weight as that of a convolution and
    gives output channels × kernel² instead, which is off by a factor of eight in a last layer from 32 channels to 1.
    """
    if isinstance(layer, nn.Linear):
        return float(layer.in_features)
    reached = layer.in_channels * math.prod(layer.kernel_size) / layer.groups
    return reached / math.prod(layer.stride) if isinstance(layer, nn.ConvTranspose2d) else reached


def he_uniform(module: nn.Module) -> None:
    """Draw weights from U(-b, b) with b² = 6 / fan_in and zero the bias, so that ReLU layers keep their mean square.

    He et al. 2015, eq. 10. Modules other than (transposed) convolutions and linear layers stay as they are.
    """
    if isinstance(module, WEIGHTED):
        bound = math.sqrt(6 / fan_in(module))
        with torch.no_grad():
            module.weight.uniform_(-bound, bound)
        _zero_bias(module)


def glorot_uniform(module: nn.Module) -> None:
    """Draw weights from U(-b, b) with b² = 6 / (fan_in + fan_out) and zero the bias.

    Glorot & Bengio 2010, eq. 16; the fans of a transposed convolution count kernel², whatever its stride, as
    TensorFlow's do. Modules other than (transposed) convolutions and linear layers stay as they are.
    """
    if isinstance(module, WEIGHTED):
        nn.init.xavier_uniform_(module.weight)  # the sum of the fans is the same in the transposed layout
        _zero_bias(module)


def torch_default(module: nn.Module) -> None:
    """Leave the module as PyTorch's own constructor drew it."""


def _zero_bias(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
