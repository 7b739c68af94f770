"""DC-IGN."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.grouped_batches import VaryingBatches, sizes_of
from disent_runner.losses.gaussian import kl_to_standard_normal
from disent_runner.machine.ranges import NonNegative, OneOf, SomeNames, Weights, WholeNumber
from disent_runner.models.abstract_vae import AbstractVAE, Inference

INTRINSIC_ODDS = 10.0


@final
class DCIGN(AbstractVAE):
    """Kulkarni et al. 2015: a VAE on batches in which one factor varies, each factor with a latent of its own.

    Latent i is for `factors[i]`, all further ones for what is intrinsic. In a batch the latents of what varies are
    active. The others are clamped: the decoder sees their mean over the batch, with one draw of noise for all images,
    and they are pulled to it. Instead of replacing their gradient by κ (z - mean) (their section 3.3) the loss has
    κ/2 ‖z - mean‖², of means and log variances, with the same gradient.

    `factors` None: all of them. `odds` are those of batches of each factor, then of intrinsic ones if a factor is left
    for those; "even": the same; None: 1 each and 10 (their section 3.2). `kl_on_inactive`: whether clamped latents have
    their KL too, which makes that of a latent weigh as many times more as there are kinds of batch. `warmup_steps` at
    the start are those of a plain VAE on the same batches.
    """

    learns_from_labels = True
    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        factors: SomeNames | None,
        odds: Weights | Annotated[str, OneOf("even")] | None,
        kappa: NonNegative,
        kl_on_inactive: bool,
        warmup_steps: WholeNumber,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        factors = list(self.info.factors) if factors is None else list(factors)
        if not self.info.factors:
            raise ValueError(f"DC-IGN needs ground-truth factors, {self.info.name} has none; choose another data set")
        sizes_of(factors, self.info.factors, "model.factors")
        if len(set(factors)) < len(factors):
            raise ValueError(f"model.factors must name each factor once, got {factors}")
        intrinsic = tuple(name for name in self.info.factors if name not in factors)
        self.kinds = [*((name,) for name in factors), *([intrinsic] if intrinsic else [])]
        if self.latent_dim < len(self.kinds):
            raise ValueError(
                f"model.latent_dim must be at least {len(self.kinds)} for {', '.join(factors)}"
                f"{' and what is intrinsic' if intrinsic else ''}, got {self.latent_dim}"
            )
        self.factors = factors
        self.odds = _odds(odds, len(factors), has_intrinsic=bool(intrinsic))
        self.kappa = kappa
        self.kl_on_inactive = kl_on_inactive
        self.warmup_steps = warmup_steps
        owner = torch.arange(self.latent_dim).clamp_max(len(factors))  # of each latent, the position of its kind
        everything = torch.ones(1, self.latent_dim, dtype=torch.bool)
        active = torch.cat([owner == torch.arange(len(self.kinds))[:, None], everything])
        self.register_buffer("active_of_kind", active, persistent=False)
        self.active_of_kind: Tensor

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        return VaryingBatches(space=training.space, kinds=self.kinds, odds=self.odds, batch_size=batch_size, seed=seed)

    def active(self, batch: Batch) -> Bool[Tensor, " latent"]:
        """Which latents the batch is about: in the warm-up, and where every factor varies, all of them."""
        kind = None if batch.step < self.warmup_steps else batch.draw.kind
        return self.active_of_kind[len(self.kinds) if kind is None else self.kinds.index(kind)]

    def infer(self, batch: Batch) -> Inference:
        mean, logvar = self.encode(batch.images)
        active = self.active(batch)
        noise = torch.randn_like(mean)
        shared = torch.where(active, noise, noise[:1])
        codes = clamped(mean, active) + (clamped(logvar, active) / 2).exp() * shared
        kl = kl_to_standard_normal(mean, logvar)
        return Inference(batch.images, mean, logvar, codes, self.decoder(codes).float(), kl)

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        active = self.active(batch)
        kl = inference.kl if self.kl_on_inactive else inference.kl * active
        pull = invariance(inference.mean, active) + invariance(inference.logvar, active)
        return {"kl": self.kl_term(kl), "invariance": pull}

    def weights(self) -> dict[str, float]:
        return {"kl": 1.0, "invariance": self.kappa}


def _odds(odds: Sequence[float] | str | None, num_factors: int, *, has_intrinsic: bool) -> list[float]:
    if odds is None:
        return [1.0] * num_factors + [INTRINSIC_ODDS] * has_intrinsic
    if odds == "even":
        return [1.0] * (num_factors + has_intrinsic)
    if isinstance(odds, str):
        raise ValueError(f"model.odds must be even, null, or a list such as 'model.odds=[1,1,1,10]', got {odds!r}")
    return list(odds)


def clamped(values: Float[Tensor, "batch latent"], active: Bool[Tensor, " latent"]) -> Float[Tensor, "batch latent"]:
    """The values of active latents; of the others the mean over the batch, which passes no gradient on."""
    return torch.where(active, values, values.mean(0, keepdim=True).detach())


def invariance(values: Float[Tensor, "batch latent"], active: Bool[Tensor, " latent"]) -> Float[Tensor, " batch"]:
    """Half the squared distance of the inactive latents to their mean over the batch, which passes no gradient on."""
    distance = torch.where(active, 0.0, values - values.mean(0, keepdim=True).detach())
    return 0.5 * distance.square().sum(1)
