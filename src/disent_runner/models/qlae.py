"""QLAE, the quantized-latent auto-encoder."""

from typing import Any, final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.losses.quantization import (
    commitment_loss,
    evenly_spaced,
    nearest_values,
    quantization_loss,
    straight_through,
)
from disent_runner.machine.ranges import NonNegative, Several
from disent_runner.models.abstract_quantized import AbstractQuantized, Quantized

LIMIT = 0.5
"""Values start from -0.5 to 0.5."""


@final
class QLAE(AbstractQuantized):
    """Hsu et al. 2023: each latent is the nearest of `num_values` learned values of its own, under weight decay.

    Values start evenly spaced in [-0.5, 0.5], of images' latents without an activation, as in the authors' code
    (kylehkhsu/latent_quantization, e6236d2). Weight decay is the optimizer's, and of weights alone.
    """

    def __init__(
        self,
        *,
        num_values: Several,
        lambda_quantization: NonNegative,
        lambda_commitment: NonNegative,
        **autoencoder: Any,
    ) -> None:
        super().__init__(**autoencoder)
        if num_values < 2:
            raise ValueError(f"model.num_values must be a whole number of at least 2, got {num_values!r}")
        self.values = nn.Parameter(evenly_spaced(self.latent_dim, num_values, limit=LIMIT))
        self.lambda_quantization = lambda_quantization
        self.lambda_commitment = lambda_commitment

    def continuous(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch latent"]:
        return self.encoder(images).float()

    def quantize(self, continuous: Float[Tensor, "batch latent"]) -> Quantized:
        quantized = nearest_values(continuous, self.values)
        terms = {
            "quantization": quantization_loss(continuous, quantized),
            "commitment": commitment_loss(continuous, quantized),
        }
        return Quantized(straight_through(continuous, quantized), terms)

    def weights(self) -> dict[str, float]:
        return {"quantization": self.lambda_quantization, "commitment": self.lambda_commitment}
