"""Ada-GVAE and Ada-ML-VAE."""

from typing import Annotated, Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.grouped_batches import PairBatches
from disent_runner.losses.gaussian import kl_between_normals, kl_to_standard_normal, sample_normal
from disent_runner.losses.shared_latents import AVERAGES, shared_latents, symmetric_kl
from disent_runner.machine.ranges import Count, NonNegative, OneOf
from disent_runner.models.abstract_vae import AbstractVAE, Inference


@final
class AdaVAE(AbstractVAE):
    """Locatello et al. 2020, section 5: pairs of images that differ in a few factors, not known in which.

    Latents whose two posteriors are close get one posterior for both images, their `average`: gvae or mlvae. The loss
    is the mean over both images of a β-VAE's. `num_changed` factors differ, or, if null, 1 to all but one. `divergence`
    tells which are close: the symmetric KL (None), or `forward`, that of the first to the second, as in their code.
    """

    learns_from_labels = True

    def __init__(
        self,
        *,
        average: Annotated[str, OneOf(*AVERAGES)],
        beta: NonNegative,
        num_changed: Count | None,
        divergence: Annotated[str, OneOf("forward")] | None = None,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        if average not in AVERAGES:
            raise ValueError(f"model.average must be {' or '.join(AVERAGES)}, got {average!r}")
        if divergence not in (None, "forward"):
            raise ValueError(f"model.divergence must be forward, or null for the symmetric KL, got {divergence!r}")
        self.average = AVERAGES[average]
        self.divergence = symmetric_kl if divergence is None else kl_between_normals
        self.beta = beta
        self.num_changed = num_changed

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        return PairBatches(space=training.space, num_changed=self.num_changed, batch_size=batch_size, seed=seed)

    def infer(self, batch: Batch) -> Inference:
        images = torch.cat([batch.images, batch.partner_images])
        first, second = zip(*(values.chunk(2) for values in self.encode(images)), strict=True)
        is_shared = shared_latents(self.divergence(first, second).detach())
        pairs = zip(self.average(first, second), first, second, strict=True)
        mean, logvar = (
            torch.cat([torch.where(is_shared, common, value) for value in values]) for common, *values in pairs
        )
        codes = sample_normal(mean, logvar)
        return Inference(images, mean, logvar, codes, self.decoder(codes).float(), kl_to_standard_normal(mean, logvar))

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " image"]]:
        return {"kl": self.kl_term(inference.kl)}

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta}
