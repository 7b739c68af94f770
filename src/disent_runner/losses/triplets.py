"""Answers to "is a nearer b than c?" as likelihoods, by divergences of posteriors (Karaletsos et al. 2016)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from disent_runner.losses.gaussian import Normal
from disent_runner.losses.shared_latents import symmetric_kl


def information_radius(first: Normal, second: Normal) -> Float[Tensor, "batch latent"]:
    """(KL(first ‖ m) + KL(second ‖ m)) / 2 of each latent, in nats, m the normal nearest to both.

    That has the mean and the variance of their even mixture. The Jensen-Shannon divergence is to the mixture itself: it
    is below this one, has no closed form, and is ln 2 for all that do not overlap, however far apart.
    """
    (mean_1, logvar_1), (mean_2, logvar_2) = first, second
    variance = (logvar_1.exp() + logvar_2.exp()) / 2 + (mean_1 - mean_2).square() / 4
    return variance.log() / 2 - (logvar_1 + logvar_2) / 4


DIVERGENCES = {"js": information_radius, "kl": symmetric_kl}


def triplet_nll(near: Float[Tensor, " triplet"], far: Float[Tensor, " triplet"]) -> Float[Tensor, " triplet"]:
    """-log p of the answer that a is nearer b than c, in nats: p = e^-D(a,b) / (e^-D(a,b) + e^-D(a,c)), their eq. 2."""
    return functional.softplus(near - far)


def masked(
    divergence: Float[Tensor, "triplet latent"], mask: Float[Tensor, "triplet latent"]
) -> Float[Tensor, " triplet"]:
    """D under a question: the sum over latents of each one's divergence times its weight in the question's mask."""
    return (mask * divergence).sum(1)


def distinct_others(num_images: int, num_triplets: int, *, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Places of a, b, c in a batch, three different ones; each image is a equally often, or one time more.

    From torch's own generator, whose state a checkpoint holds.
    """
    anchor = torch.arange(num_triplets, device=device) % num_images
    first = torch.randint(1, num_images, (num_triplets,), device=device)
    between = torch.randint(1, num_images - 1, (num_triplets,), device=device)
    second = (first - 1 + between) % (num_images - 1) + 1
    return anchor, (anchor + first) % num_images, (anchor + second) % num_images
