"""Losses of images and symbols together: SCAN (Higgins et al. 2018), JMVAE (Suzuki et al. 2016), TELBO (Vedantam et
al. 2018). Posteriors are pairs of mean and log variance; all is in nats, for each example, with no weights.
"""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from disent_runner.losses.gaussian import Normal, kl_between_normals

Divergence = Callable[[Normal, Normal], Float[Tensor, " batch"]]


def symbol_nll(
    logits: Float[Tensor, "batch symbol"], symbols: Float[Tensor, "batch symbol"]
) -> Float[Tensor, " batch"]:
    """-log p(y|z) of k-hot symbols, each of which is there with probability sigmoid(logit)."""
    return functional.binary_cross_entropy_with_logits(logits, symbols, reduction="none").sum(1)


def forward_grounding(images: Normal, concepts: Normal) -> Float[Tensor, " batch"]:
    """KL(q(z|x) || q(z|y)), SCAN's eq. 4: what differs between images of a concept becomes wide in it.

    Of images with means m_i and variances v_i the best concept has their mean m and the variance V = mean(v_i +
    (m_i - m)²); with weight λ beside β of the KL to the prior, its variance s solves βs² + (λ - β)s = λV, V about its
    mean λm / (λ + βs).
    """
    return kl_between_normals(images, concepts).sum(1)


def reverse_grounding(images: Normal, concepts: Normal) -> Float[Tensor, " batch"]:
    """KL(q(z|y) || q(z|x)), of SCAN_R: as narrow as the images, also where they differ.

    With weights as above, the best precision is (β + λ mean(1 / v_i)) / (β + λ).
    """
    return kl_between_normals(concepts, images).sum(1)


GROUNDINGS: Mapping[str, Divergence] = {"forward": forward_grounding, "reverse": reverse_grounding}


def joint_kl_terms(both: Normal, images: Normal, symbols: Normal) -> dict[str, Float[Tensor, " batch"]]:
    """KL(q(z|x,y) || q(z|x)) and KL(q(z|x,y) || q(z|y)), the terms that JMVAE weighs with α."""
    return {
        "kl_to_images": kl_between_normals(both, images).sum(1),
        "kl_to_symbols": kl_between_normals(both, symbols).sum(1),
    }


def product_of_experts(
    symbols: Float[Tensor, "batch symbol"], mean: Float[Tensor, "symbol latent"], logvar: Float[Tensor, "symbol latent"]
) -> Normal:
    """The product of N(0, 1) and a normal distribution for each symbol that is there (Vedantam et al. 2018).

    Its precision is 1 plus theirs; without symbols it is N(0, 1).
    """
    precisions = symbols[:, :, None] * torch.exp(-logvar)  # sums, not products of matrices, which bfloat16 would round
    precision = 1 + precisions.sum(1)
    return (precisions * mean).sum(1) / precision, -precision.log()


def specificity(logvar: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch latent"]:
    """1 - σ of each latent of a concept, at least 0: how much it says of that latent beyond the prior."""
    return (1 - torch.exp(0.5 * logvar)).clamp_min(0)
