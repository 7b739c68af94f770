"""FactorQVAE: quantized latents of one code book, kept independent by a discriminator."""

from collections.abc import Callable
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.losses.density_ratio import (
    discriminator_accuracy,
    discriminator_loss,
    total_correlation_from_logits,
)
from disent_runner.losses.relaxed_quantization import (
    gumbel_like,
    kl_to_uniform,
    minus_squared_distances,
    permute_choices,
    relaxed_choices,
)
from disent_runner.machine.ranges import NonNegative, Positive, Several
from disent_runner.models.abstract_quantized import AbstractQuantized, Quantized
from disent_runner.models.base import is_number, optimise


@final
class FactorQVAE(AbstractQuantized):
    """Baykal et al. 2024: mean squared error + β KL(q(v|x) ‖ uniform) + γ · total correlation of the choices.

    q(v|x), of each latent, is the softmax of minus the squared distances to the `num_values` values of one code book
    that all latents share. In training a code is the values' mean by a Gumbel-softmax draw, and the discriminator of
    FactorVAE sees the draws of all latents; codes of metrics and figures are the nearest values. As in the authors'
    code (ituvisionlab/FactorQVAE, 7d74cea) the KL is the mean over latents, values start normal, and the discriminator
    learns from a second batch, each latent's draws permuted.
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        num_values: Several,
        temperature: Positive,
        beta: NonNegative,
        gamma: NonNegative,
        discriminator: Callable[..., nn.Module],
        discriminator_optimizer: Callable[..., torch.optim.Optimizer],
        **autoencoder: Any,
    ) -> None:
        super().__init__(**autoencoder)
        if not isinstance(num_values, int) or num_values < 2:
            raise ValueError(f"model.num_values must be a whole number of at least 2, got {num_values!r}")
        if not (is_number(temperature) and temperature > 0):
            raise ValueError(f"model.temperature must be a positive number, got {temperature!r}")
        self.values = nn.Parameter(torch.randn(1, num_values))
        self.temperature = temperature
        self.beta = beta
        self.gamma = gamma
        self.discriminator = discriminator(num_inputs=self.latent_dim * num_values)
        self.discriminator_optimizer = discriminator_optimizer

    def continuous(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch latent"]:
        return self.encoder(images).float()

    def quantize(self, continuous: Float[Tensor, "batch latent"]) -> Quantized:
        logits = minus_squared_distances(continuous, self.values)
        choices = self._drawn(logits)
        told = self.discriminator(choices.flatten(1)).float()
        terms = {
            "kl": kl_to_uniform(logits).mean(1),
            "objective_total_correlation": total_correlation_from_logits(told),
        }
        return Quantized((choices * self.values).sum(2), terms, choices)

    def _drawn(self, logits: Float[Tensor, "batch latent value"]) -> Float[Tensor, "batch latent value"]:
        return relaxed_choices(logits, gumbel_like(logits), temperature=self.temperature)

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta, "objective_total_correlation": self.gamma}

    def adversary_step(self, quantized: Quantized, batch: Batch) -> dict[str, Tensor]:
        assert quantized.choices is not None
        joint = quantized.choices.detach()
        with torch.no_grad():
            logits = minus_squared_distances(self.continuous(batch.second_images), self.values)
            permuted = permute_choices(self._drawn(logits))
        told = self.discriminator(torch.cat([joint, permuted]).flatten(1)).float()
        joint_told, permuted_told = told.split([len(joint), len(permuted)])
        loss = discriminator_loss(joint_told, permuted_told).mean()
        optimise(self.optimizer_of["discriminator"], loss, max_norm=self.gradient_clip)
        accuracy = discriminator_accuracy(joint_told.detach(), permuted_told.detach())
        return {"discriminator_loss": loss.detach(), "discriminator_accuracy": accuracy.mean()}

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        own = [parameter for name, parameter in self.named_parameters() if not name.startswith("discriminator.")]
        return {
            "model": self.optimizer(own),
            "discriminator": self.discriminator_optimizer(self.discriminator.parameters()),
        }
