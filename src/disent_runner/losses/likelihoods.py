"""Distributions of an image given the decoder's logits; frozen, without parameters to learn."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

SERIES_BELOW = 0.1  # the series are exact to 1e-11 below, the closed forms to 1e-6 in float32 above


@final
@dataclass(frozen=True)
class Bernoulli:
    """Each pixel is on with probability sigmoid(logit); a likelihood for binary images only."""

    def nll(
        self, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(image) summed over pixels, in nats."""
        return _sum_pixels(functional.binary_cross_entropy_with_logits(logits, images, reduction="none"))

    def mean(self, logits: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Mean image, in [0, 1]."""
        return torch.sigmoid(logits)


@final
@dataclass(frozen=True)
class Gaussian:
    """Each pixel is normal with standard deviation `sigma` about sigmoid(logit).

    The sigmoid keeps means in [0, 1], as in disentanglement_lib (its L2 loss is `sigma` = sqrt(1/2) less a constant).
    Raises ValueError unless `sigma` is positive.
    """

    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise ValueError(f"likelihood.sigma is a standard deviation and must be positive, got {self.sigma}")

    def nll(
        self, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(image) summed over pixels, in nats, with the normaliser log(sigma·sqrt(2π)) per pixel."""
        squared_error = _sum_pixels((torch.sigmoid(logits) - images).square())
        num_pixels = logits[0].numel()
        return squared_error / (2 * self.sigma**2) + num_pixels * math.log(self.sigma * math.sqrt(2 * math.pi))

    def mean(self, logits: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Mean image, in [0, 1]."""
        return torch.sigmoid(logits)


@final
@dataclass(frozen=True)
class ContinuousBernoulli:
    """Density C(λ) λ^x (1-λ)^(1-x) on [0, 1] with λ = sigmoid(logit): a likelihood for grey and colour images.

    Loaiza-Ganem & Cunningham 2019. In terms of half the logit, h, their normaliser is 2h / tanh(h), so
    -log p(x) = log(sinh(h) / h) + 2h (1/2 - x), an even function of h and a linear one; both are finite at h = 0.
    """

    def nll(
        self, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(image) summed over pixels, in nats; negative where the density is above one."""
        return _sum_pixels(log_sinh_ratio(0.5 * logits) + logits * (0.5 - images))

    def mean(self, logits: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Mean image, in [0, 1]; unlike λ it is 1 - 1/logit, not 1, at large logits."""
        return 0.5 + 0.5 * langevin(0.5 * logits)


def log_sinh_ratio(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """log(sinh(x) / x), zero at zero; without overflow, and with finite gradients everywhere."""
    near_square = x.clamp(-SERIES_BELOW, SERIES_BELOW).square()
    near = near_square * (1 / 6 - near_square * (1 / 180 - near_square / 2835))
    size = x.abs().clamp(min=SERIES_BELOW)
    far = size + torch.log(torch.expm1(-2 * size) / (-2 * size))
    return torch.where(size > SERIES_BELOW, far, near)


def langevin(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """coth(x) - 1/x, the derivative of `log_sinh_ratio`; zero at zero."""
    near = x.clamp(-SERIES_BELOW, SERIES_BELOW)
    near_square = near.square()
    series = near * (1 / 3 - near_square * (1 / 45 - near_square * (2 / 945)))
    size = x.abs().clamp(min=SERIES_BELOW)
    far = torch.sign(x) * (1 / torch.tanh(size) - 1 / size)
    return torch.where(size > SERIES_BELOW, far, series)


def _sum_pixels(terms: Tensor) -> Tensor:
    return terms.sum(dim=(1, 2, 3))
