"""Dependence of latents without a posterior: multi-information from kernel densities (Tripod, Hsu et al. 2024)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def silverman_factor(num_points: int, num_latents: int) -> float:
    """Bandwidth of a normal kernel for so many points, in standard deviations of a latent (Silverman 1986)."""
    return (4 / ((num_latents + 2) * num_points)) ** (1 / (num_latents + 4))


def kernel_multiinformation(
    codes: Float[Tensor, "batch latent"],
    *,
    joint_bandwidth: Float[Tensor, " latent"],
    marginal_bandwidth: Float[Tensor, " latent"],
) -> Float[Tensor, " batch"]:
    """What log q(z) - Σ_k log q(z_k) is at each code of a batch, in nats, by kernel densities of all its codes.

    Kernels are normal, with these standard deviations by latent. With the same for both it is 0 where the batch is a
    product of its latents' values; its mean estimates the total correlation.
    """
    batch = len(codes)
    differences = codes[:, None] - codes[None]  # all pairs, (i, j, k): no matrix product, which autocast would round
    joint = torch.logsumexp(_log_normal(differences, joint_bandwidth).sum(2), dim=1) - math.log(batch)
    marginals = torch.logsumexp(_log_normal(differences, marginal_bandwidth), dim=1) - math.log(batch)
    return joint - marginals.sum(1)


def _log_normal(
    differences: Float[Tensor, "batch other latent"], sigma: Float[Tensor, " latent"]
) -> Float[Tensor, "batch other latent"]:
    return -0.5 * (differences / sigma).square() - sigma.log() - 0.5 * math.log(2 * math.pi)
