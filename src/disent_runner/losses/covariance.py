"""Covariance of the codes and how far it is from the identity (DIP-VAE, Kumar et al. 2018).

Covariances divide by the batch size B, not B - 1, as the expectations of the paper and disentanglement_lib do.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def covariance_of_means(mean: Float[Tensor, "batch latent"]) -> Float[Tensor, "latent latent"]:
    """Covariance over the batch of the posterior means: the one DIP-VAE-I constrains."""
    centred = mean - mean.mean(dim=0)
    return (centred[:, :, None] * centred[:, None, :]).mean(dim=0)  # autocast would round a matrix product to bfloat16


def covariance_of_codes(
    mean: Float[Tensor, "batch latent"], logvar: Float[Tensor, "batch latent"]
) -> Float[Tensor, "latent latent"]:
    """Covariance of samples z of q(z): that of the means plus the mean posterior variances on the diagonal.

    The law of total covariance; the one DIP-VAE-II constrains.
    """
    return covariance_of_means(mean) + torch.diag(logvar.exp().mean(dim=0))


def off_diagonal_penalty(covariance: Float[Tensor, "latent latent"]) -> Float[Tensor, ""]:
    """Sum of the squared covariances of different latents; each pair counts twice, as in the paper's sum over i ≠ j."""
    return (covariance - torch.diag(covariance.diagonal())).square().sum()


def diagonal_penalty(covariance: Float[Tensor, "latent latent"]) -> Float[Tensor, ""]:
    """Sum over latents of (variance - 1)²."""
    return (covariance.diagonal() - 1).square().sum()
