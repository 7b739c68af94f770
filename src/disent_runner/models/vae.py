"""The variational autoencoder."""

from typing import final

from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.models.abstract_vae import AbstractVAE, Inference


@final
class VAE(AbstractVAE):
    """Kingma & Welling 2014: minus the evidence lower bound, KL(q(z|x) ‖ N(0, 1)) with weight 1."""

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        return {"kl": self.kl_term(inference.kl)}

    def weights(self) -> dict[str, float]:
        return {"kl": 1.0}
