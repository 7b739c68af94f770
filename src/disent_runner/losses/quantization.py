"""Scalar quantization of latents: to the nearest of a few values, and what pulls values and latents together.

Latent quantization, Hsu et al. 2023: a code book of scalars for each latent, in place of one of vectors for all.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def evenly_spaced(num_latents: int, num_values: int, *, limit: float) -> Float[Tensor, "latent value"]:
    """The same values for each latent, from -limit to limit."""
    return torch.linspace(-limit, limit, num_values).repeat(num_latents, 1)


def nearest_values(
    continuous: Float[Tensor, "batch latent"], values: Float[Tensor, "#latent value"]
) -> Float[Tensor, "batch latent"]:
    """The nearest of each latent's own values, or of those that all share.

    Its gradient reaches the chosen values alone, not `continuous`.
    """
    indices = (continuous.detach()[:, :, None] - values.detach()).abs().argmin(2)
    return values.expand(*indices.shape, -1).gather(2, indices[:, :, None])[:, :, 0]


def straight_through(
    continuous: Float[Tensor, "batch latent"], quantized: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """The quantized latents, whose gradient goes to the continuous ones as if both were the same."""
    return continuous + (quantized - continuous).detach()


def quantization_loss(
    continuous: Float[Tensor, "batch latent"], quantized: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """(sg[continuous] - quantized)², mean over latents, in no unit: moves the values alone."""
    return (continuous.detach() - quantized).square().mean(1)


def commitment_loss(
    continuous: Float[Tensor, "batch latent"], quantized: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """(continuous - sg[quantized])², mean over latents, in no unit: moves the latents alone."""
    return (continuous - quantized.detach()).square().mean(1)
