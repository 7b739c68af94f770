"""Quantization by chance: each latent takes a mixture of values, the nearer the likelier (Gumbel-softmax).

Jang et al. 2017 and Maddison et al. 2017; of distances to a code book as in FactorQVAE, Baykal et al. 2024. Logits are
minus squared distances to the values.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def minus_squared_distances(
    continuous: Float[Tensor, "batch latent"], values: Float[Tensor, "#latent value"]
) -> Float[Tensor, "batch latent value"]:
    """-(z_j - v_jk)², in no unit; the logits of the choice among values, each latent's own or those of all."""
    return -(continuous[:, :, None] - values).square()


def relaxed_choices(
    logits: Float[Tensor, "batch latent value"], noise: Float[Tensor, "batch latent value"], *, temperature: float
) -> Float[Tensor, "batch latent value"]:
    """softmax((logits + noise) / temperature), a relaxed draw from softmax(logits) where the noise is Gumbel's."""
    return ((logits + noise) / temperature).softmax(2)


def gumbel_like(logits: Float[Tensor, "batch latent value"]) -> Float[Tensor, "batch latent value"]:
    """Gumbel noise by torch's own generator: minus the logarithm of an exponential number."""
    return -torch.empty_like(logits).exponential_().log()


def kl_to_uniform(logits: Float[Tensor, "batch latent value"]) -> Float[Tensor, "batch latent"]:
    """KL(softmax(logits) ‖ uniform) of each latent, in nats: log V less the entropy."""
    log_chances = logits.log_softmax(2)
    return math.log(logits.shape[2]) + (log_chances.exp() * log_chances).sum(2)


def permute_choices(
    choices: Float[Tensor, "batch latent value"], generator: torch.Generator | None = None
) -> Float[Tensor, "batch latent value"]:
    """The choices of every latent permuted over the batch on their own, each latent's values kept together."""
    keys = torch.rand(choices.shape[:2], generator=generator, device=choices.device)
    return choices.gather(0, keys.argsort(dim=0)[:, :, None].expand_as(choices))
