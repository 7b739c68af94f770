"""Losses of generative adversarial networks, from logits: positive for "real"."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(
    real_logits: Float[Tensor, "real 1"], fake_logits: Float[Tensor, "fake 1"]
) -> Float[Tensor, " real"]:
    """-log D(x) - log(1 - D(G(z))) for pairs of real and fake images, in nats (Goodfellow et al. 2014, eq. 1)."""
    return (softplus(-real_logits) + softplus(fake_logits)).squeeze(1)


def generator_loss(fake_logits: Float[Tensor, "fake 1"]) -> Float[Tensor, " fake"]:
    """-log D(G(z)), the loss that does not saturate (Goodfellow et al. 2014, section 3), in nats."""
    return softplus(-fake_logits).squeeze(1)


def gradient_penalty(
    scores: Float[Tensor, "batch 1"], images: Float[Tensor, "batch channel height width"]
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """(‖∇_x score‖ - 1)² of each image, and the norm itself (Gulrajani et al. 2017, eq. 3); twice differentiable."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    norm = gradient.flatten(1).square().sum(1).add(1e-12).sqrt()
    return (norm - 1).square(), norm
