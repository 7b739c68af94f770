"""β-VAE."""

import math
from typing import Any, final

from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.machine.ranges import NonNegative
from disent_runner.models.abstract_vae import AbstractVAE, Inference


@final
class BetaVAE(AbstractVAE):
    """Higgins et al. 2017, eq. 4: KL(q(z|x) ‖ N(0, 1)) with weight β.

    With `normalized`, `beta` is the paper's β_norm = β M / N for M latents and N numbers per image.
    """

    def __init__(self, *, beta: NonNegative, normalized: bool, **vae: Any) -> None:
        super().__init__(**vae)
        self.beta = beta * math.prod(self.info.image_shape) / self.latent_dim if normalized else beta

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        return {"kl": self.kl_term(inference.kl)}

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta}
