"""The transposed convolution that ends in an image, at the speed of an ordinary convolution."""

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


@final
class ToImage(nn.ConvTranspose2d):
    """Transposed convolution (k4 s2 p1) to the one or three channels of an image.

    On the CPU the kernels for so few output channels are slow, at one channel by a factor of three, and training then
    takes another way to the same numbers. Parameters and their names are those of nn.ConvTranspose2d.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=4, stride=2, padding=1)

    def forward(
        self, input: Float[Tensor, "batch channel height width"], output_size: list[int] | None = None
    ) -> Float[Tensor, "batch image_channel double_height double_width"]:
        plain = torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu") or output_size is not None
        if self.training and torch.is_grad_enabled() and input.device.type == "cpu" and not plain:
            return _ToImageFunction.apply(input, self.weight, self.bias)  # pyright: ignore[reportReturnType]
        return super().forward(input, output_size)  # differentiable as often as one likes, and in forward mode


class _ToImageFunction(torch.autograd.Function):
    """Forward as one convolution, backward as PyTorch's own, whose kernels are fast enough."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return transposed_by_convolution(maps, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        maps, weight = ctx.saved_tensors
        return torch.ops.aten.convolution_backward(
            grad, maps, weight, [weight.shape[1]], [2, 2], [1, 1], [1, 1], True, [0, 0], 1, ctx.needs_input_grad
        )


def transposed_by_convolution(
    maps: Float[Tensor, "batch channel height width"],
    weight: Float[Tensor, "channel image_channel 4 4"],
    bias: Float[Tensor, " image_channel"],
) -> Float[Tensor, "batch image_channel double_height double_width"]:
    """What `conv_transpose2d(maps, weight, bias, stride=2, padding=1)` returns.

    Four input pixels meet in each 2×2 block of the output, if the blocks are laid one pixel off its corner: all blocks
    come out of one 2×2 convolution with four channels per image channel.
    """
    batch, _, height, width = maps.shape
    channels = weight.shape[1]
    kernel = functional.pixel_unshuffle(weight, 2).transpose(0, 1).flip(2, 3)
    blocks = functional.conv2d(maps, kernel, bias.repeat_interleave(4), padding=1)
    blocks = blocks.view(batch, channels, 2, 2, height + 1, width + 1)
    images = blocks.new_empty(batch, channels, 2 * height, 2 * width)
    for row in (0, 1):
        for column in (0, 1):
            corner = blocks[:, :, 1 - row, 1 - column, row : row + height, column : column + width]
            images[:, :, row::2, column::2] = corner
    return images
