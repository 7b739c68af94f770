"""Tripod: quantized, independent latents that a decoder does not mix."""

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.losses.hessian_penalty import normalized_hessian_penalty
from disent_runner.losses.kernel_multiinformation import kernel_multiinformation, silverman_factor
from disent_runner.losses.quantization import evenly_spaced, nearest_values, straight_through
from disent_runner.machine.ranges import NonNegative, Positive, Several
from disent_runner.models.abstract_quantized import AbstractQuantized, Quantized
from disent_runner.models.base import is_number
from disent_runner.networks.hidden_layers import activations_of, hidden_layers, smoothed

LEAST_VARIANCE = 1e-12
"""Keeps the gradient of a latent's standard deviation finite where all are equal."""


@final
class Tripod(AbstractQuantized):
    """Hsu et al. 2024: finite scalar quantization, kernel multi-information, normalised Hessian penalty of the decoder.

    Latents are tanh of the encoder's outputs, then the nearest of `num_values` fixed values in [-1, 1]. As in the
    authors' code (kylehkhsu/tripod, d794dc4) kernels of the marginals are as wide as a latent's standard deviation,
    those of the joint Silverman's share of it, so that the multi-information of independent latents is not 0. The
    penalty is of hidden layers, here what each activation of the decoder gives, from `num_directions` of each kind and
    steps of `epsilon` standard deviations. A decoder's ReLUs are GELUs here, as in their networks: between two kinks
    nothing has second derivatives that the penalty could be a share of.
    """

    batch_statistics = True

    def __init__(
        self,
        *,
        num_values: Several,
        lambda_multiinformation: NonNegative,
        lambda_hessian: NonNegative,
        num_directions: Several,
        epsilon: Positive,
        **autoencoder: Any,
    ) -> None:
        super().__init__(**autoencoder)
        for name, count in {"num_values": num_values, "num_directions": num_directions}.items():
            if not isinstance(count, int) or count < 2:
                raise ValueError(f"model.{name} must be a whole number of at least 2, got {count!r}")
        if not (is_number(epsilon) and epsilon > 0):
            raise ValueError(f"model.epsilon must be a positive number, got {epsilon!r}")
        smoothed(self.decoder)
        if not activations_of(self.decoder):
            raise ValueError(
                "model=tripod needs a decoder whose activations are layers, such as nn.ReLU; there is none"
            )
        self.register_buffer("values", evenly_spaced(self.latent_dim, num_values, limit=1.0))
        self.lambda_multiinformation = lambda_multiinformation
        self.lambda_hessian = lambda_hessian
        self.num_directions = num_directions
        self.epsilon = epsilon

    def continuous(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch latent"]:
        return self.encoder(images).float().tanh()

    def quantize(self, continuous: Float[Tensor, "batch latent"]) -> Quantized:
        codes = straight_through(continuous, nearest_values(continuous, self.values))
        sigma = (continuous.var(0, correction=0) + LEAST_VARIANCE).sqrt()
        multiinformation = kernel_multiinformation(
            codes, joint_bandwidth=silverman_factor(*codes.shape) * sigma, marginal_bandwidth=sigma
        )
        normals = torch.randn(2, self.num_directions, *codes.shape, device=codes.device)
        with torch.autocast(codes.device.type, enabled=False):  # second differences are below what bfloat16 tells apart
            hessian = normalized_hessian_penalty(
                lambda points: hidden_layers(self.decoder, points),
                codes,
                signs=normals[0].sign(),
                normals=normals[1],
                scale=sigma,
                epsilon=self.epsilon,
            )
        return Quantized(codes, {"multiinformation": multiinformation, "hessian": hessian})

    def weights(self) -> dict[str, float]:
        return {"multiinformation": self.lambda_multiinformation, "hessian": self.lambda_hessian}
