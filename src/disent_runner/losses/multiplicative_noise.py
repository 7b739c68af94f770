"""Log-normal noise that multiplies: what it costs to be told a value through it, in nats."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.losses.gaussian import kl_between_normals


def kl_to_log_uniform(log_alpha: Float[Tensor, "*shape"], *, largest: float) -> Float[Tensor, "*shape"]:
    """KL(z ‖ log-uniform) of z = f ε with log ε ~ N(0, α²), entry by entry; 0 at α = `largest`.

    Achille & Soatto 2018, proposition 4: -H(log ε) + const = -log α + const, whatever f > 0 is. The prior is improper,
    so that the constant is a choice; with this one nothing is negative. Where f is 0 it is another constant.
    """
    return math.log(largest) - log_alpha


def kl_to_log_normal(
    log_value: Float[Tensor, "batch latent"],
    log_alpha: Float[Tensor, "batch latent"],
    *,
    prior_mean: Float[Tensor, ""],
    prior_log_sigma: Float[Tensor, ""],
) -> Float[Tensor, "batch latent"]:
    """KL(z ‖ prior) of z = f ε with log ε ~ N(0, α²) to log z ~ N(μ, σ²), per example and latent.

    Achille & Soatto 2018, proposition 5: (α² + (log f - μ)²) / 2σ² - log(α / σ) - 1/2.
    """
    prior = prior_mean.expand_as(log_value), (2 * prior_log_sigma).expand_as(log_value)
    return kl_between_normals((log_value, 2 * log_alpha), prior)


def log_normal_variance(mean: Float[Tensor, "*shape"], log_alpha: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Variance of mean ε with log ε ~ N(-α²/2, α²), so that ε has mean 1."""
    return mean.square() * torch.expm1((2 * log_alpha).exp())
