"""FactorVAE."""

from collections.abc import Callable
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.losses.density_ratio import (
    discriminator_accuracy,
    discriminator_loss,
    permute_codes,
    total_correlation_from_logits,
)
from disent_runner.losses.gaussian import sample_normal
from disent_runner.machine.ranges import NonNegative
from disent_runner.models.abstract_vae import AbstractVAE, Inference
from disent_runner.models.base import optimise


@final
class FactorVAE(AbstractVAE):
    """Kim & Mnih 2018, eq. 2: a VAE with γ · total correlation, its density ratio told by a discriminator.

    The discriminator learns to tell codes of the batch from codes of a second, independent batch that are permuted
    latent by latent (their algorithm 2). Its step sends no gradient into the encoder, the VAE's none into it. What it
    takes for the total correlation can be far below it, and is logged as `objective_total_correlation`.

    `beta` weighs the KL; None: 1, as theirs.
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        gamma: NonNegative,
        discriminator: Callable[..., nn.Module],
        discriminator_optimizer: Callable[..., torch.optim.Optimizer],
        beta: NonNegative | None = None,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        self.gamma = gamma
        self.beta = 1.0 if beta is None else beta
        self.discriminator = discriminator(num_inputs=self.latent_dim)
        self.discriminator_optimizer = discriminator_optimizer

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        logits = self.discriminator(inference.codes).float()
        return {
            "kl": self.kl_term(inference.kl),
            "objective_total_correlation": total_correlation_from_logits(logits),
        }

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta, "objective_total_correlation": self.gamma}

    def adversary_step(self, inference: Inference, batch: Batch) -> dict[str, Tensor]:
        joint = inference.codes.detach()
        with torch.no_grad():
            permuted = permute_codes(sample_normal(*self.encode(batch.second_images)))
        logits = self.discriminator(torch.cat([joint, permuted])).float()
        joint_logits, permuted_logits = logits.split([len(joint), len(permuted)])
        loss = discriminator_loss(joint_logits, permuted_logits).mean()
        optimise(self.optimizer_of["discriminator"], loss, max_norm=self.gradient_clip)
        accuracy = discriminator_accuracy(joint_logits.detach(), permuted_logits.detach())
        return {"discriminator_loss": loss.detach(), "discriminator_accuracy": accuracy.mean()}

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return super().new_optimizers() | {
            "discriminator": self.discriminator_optimizer(self.discriminator.parameters())
        }
