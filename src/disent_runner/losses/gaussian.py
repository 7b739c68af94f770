"""Diagonal normal distributions given by mean and log variance."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

Normal = tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]
"""Means and log variances."""


def kl_to_standard_normal(
    mean: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """KL(N(mean, exp(logvar)) || N(0, 1)) per example and latent, in nats.

    Kingma & Welling 2014, appendix B. Unreduced, so a weight means the same in every model.
    """
    return 0.5 * (mean.square() + torch.expm1(logvar) - logvar)  # expm1: exact near the prior


def kl_between_normals(first: Normal, second: Normal) -> Float[Tensor, "batch latent"]:
    """KL(first || second) per example and latent, in nats; where they are the same, 0 exactly."""
    (mean, logvar), (other_mean, other_logvar) = first, second
    log_ratio = logvar - other_logvar
    squared = (mean - other_mean).square() * torch.exp(-other_logvar)
    return 0.5 * (squared + torch.expm1(log_ratio) - log_ratio)


def sample_normal(
    mean: Float[Tensor, "*shape"], logvar: Float[Tensor, "*shape"], *, generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """One sample of N(mean, exp(logvar)) per entry, differentiable in both (Kingma & Welling 2014, section 2.4).

    Without a generator the noise comes from torch's own, whose state a checkpoint holds.
    """
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + torch.exp(0.5 * logvar) * noise


def normal_log_density(
    x: Float[Tensor, "*#shape"], mean: Float[Tensor, "*#shape"], logvar: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """Log density of N(mean, exp(logvar)) at x, entry by entry, in nats; the arguments broadcast."""
    standardised = (x - mean) * torch.exp(-0.5 * logvar)
    return -0.5 * (standardised.square() + (logvar + math.log(2 * math.pi)))
