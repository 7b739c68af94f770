"""Total correlation by a discriminator between joint and permuted codes (FactorVAE, Kim & Mnih 2018).

Class 0 of the two logits is the joint distribution q(z), class 1 the product of the marginals.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def total_correlation_from_logits(logits: Float[Tensor, "batch 2"]) -> Float[Tensor, " batch"]:
    """The discriminator's log q(z) - log prod_j q(z_j) at each code, in nats; the batch mean is to be minimised.

    Kim & Mnih 2018, the density-ratio trick: log(D / (1 - D)), which is the difference of the logits.
    """
    return logits[:, 0] - logits[:, 1]


def permute_codes(
    codes: Float[Tensor, "batch latent"], generator: torch.Generator | None = None
) -> Float[Tensor, "batch latent"]:
    """The codes with every latent permuted over the batch on its own: samples of the product of the marginals.

    Kim & Mnih 2018, algorithm 1. Gradients pass; detach the codes for the discriminator's own step.
    """
    keys = torch.rand(codes.shape, generator=generator, device=codes.device)
    return codes.gather(0, keys.argsort(dim=0))


def discriminator_loss(
    joint_logits: Float[Tensor, "batch 2"], permuted_logits: Float[Tensor, "batch 2"]
) -> Float[Tensor, " batch"]:
    """Half the cross entropy of a joint code plus half that of a permuted one, in nats; log 2 at chance.

    Kim & Mnih 2018, algorithm 2, with the sign of a loss.
    """
    joint = functional.softplus(joint_logits[:, 1] - joint_logits[:, 0])
    permuted = functional.softplus(permuted_logits[:, 0] - permuted_logits[:, 1])
    return 0.5 * (joint + permuted)


def discriminator_accuracy(
    joint_logits: Float[Tensor, "batch 2"], permuted_logits: Float[Tensor, "batch 2"]
) -> Float[Tensor, " batch"]:
    """Share of correct decisions on a joint and a permuted code: 0, 1/2 or 1; a tie is decided for class 0."""
    joint = joint_logits[:, 0] >= joint_logits[:, 1]
    permuted = permuted_logits[:, 0] < permuted_logits[:, 1]
    return 0.5 * (joint.to(joint_logits.dtype) + permuted.to(joint_logits.dtype))
