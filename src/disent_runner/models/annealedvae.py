"""AnnealedVAE, also CCI-VAE: a KL that is led along a rising capacity."""

from typing import Any, final

from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.losses.capacity import capacity_gap, linear_schedule
from disent_runner.machine.ranges import Count, NonNegative
from disent_runner.models.abstract_vae import AbstractVAE, Inference
from disent_runner.models.base import check_capacity_steps


@final
class AnnealedVAE(AbstractVAE):
    """Burgess et al. 2018, eq. 8: γ |KL − C|, KL the batch's mean, C rising linearly over `capacity_steps` steps."""

    def __init__(
        self,
        *,
        gamma: NonNegative,
        capacity: NonNegative,
        capacity_start: NonNegative,
        capacity_steps: Count,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        self.gamma = gamma
        self.capacity = capacity
        self.capacity_start = capacity_start
        self.capacity_steps = check_capacity_steps(capacity_steps)

    def capacity_at(self, step: int) -> float:
        """C in nats at a step counted from 0."""
        return linear_schedule(step, start=self.capacity_start, end=self.capacity, num_steps=self.capacity_steps)

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        kl = inference.kl.sum(1)
        return {"capacity_gap": capacity_gap(kl, self.capacity_at(batch.step)).expand(len(kl))}

    def weights(self) -> dict[str, float]:
        return {"capacity_gap": self.gamma}
