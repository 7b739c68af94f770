"""Bounds on what a network puts out that a loss can pull back from."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def bounded(values: Float[Tensor, "*shape"], low: float, high: float) -> Float[Tensor, "*shape"]:
    """The values clamped to low … high, with the gradient of a clamp between the bounds.

    Beyond a bound a clamp has no gradient: what gets there, by a large step or with the weights that it shares, stays
    for ever, whatever it costs. Here a gradient passes there too, if a step against it leads back to the bound.
    """
    return _Bounded.apply(values, low, high)  # pyright: ignore[reportReturnType]


class _Bounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.bounds = low, high
        return values.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (values,) = ctx.saved_tensors
        low, high = ctx.bounds
        leads_away = ((values < low) & (grad > 0)) | ((values > high) & (grad < 0))
        return grad.masked_fill(leads_away, 0.0), None, None
