"""Distributions of an image given the decoder's logits: frozen, but for those whose σ is found in training."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from disent_runner.machine.ranges import Positive

LEAST_LOG_SIGMA = -6.0
"""A σ that is found stays above e^-6, less than a level of 8 bits, as in the code of Rybkin et al. 2021: a decoder
that is right in every pixel would send it to 0."""
FOLLOWING = 0.1
"""How far an optimal σ² that is kept for evaluation goes towards that of a batch, as batch normalisation's."""
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

    sigma: Positive = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.sigma, int | float) and self.sigma > 0):
            raise ValueError(f"likelihood.sigma is a standard deviation and must be positive, got {self.sigma!r}")

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
class LearnedGaussian(nn.Module):
    """Each pixel is normal about sigmoid(logit); σ, one for all pixels, is learned with the networks.

    The σ-VAE of Rybkin et al. 2021, section 3: β = 1 then needs no choice. σ starts at 1 and stays above e^-6.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def nll(
        self, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(image) summed over pixels, in nats."""
        log_sigma = LEAST_LOG_SIGMA + functional.softplus(self.log_sigma - LEAST_LOG_SIGMA)
        return _normal_nll(logits, images, log_sigma)

    def mean(self, logits: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Mean image, in [0, 1]."""
        return torch.sigmoid(logits)


@final
class OptimalGaussian(nn.Module):
    """Each pixel is normal about sigmoid(logit); σ is the most likely one, of all pixels of a batch.

    The optimal σ-VAE of Rybkin et al. 2021, eq. 6: σ² is the mean squared error, so that the loss of a batch is that
    of N/2 log σ². An evaluation takes one σ for all images, the running mean of σ² over the batches of training.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("variance", torch.ones(()))
        self.variance: Tensor

    def nll(
        self, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(image) summed over pixels, in nats. σ passes no gradient on: that of the loss by it is 0."""
        if not self.training:
            return _normal_nll(logits, images, self.variance.log() / 2)
        squared_error = (torch.sigmoid(logits.detach()) - images).square().mean()
        variance = squared_error + math.exp(2 * LEAST_LOG_SIGMA)
        self.variance.lerp_(variance.to(self.variance), FOLLOWING)
        return _normal_nll(logits, images, variance.log() / 2)

    def mean(self, logits: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Mean image, in [0, 1]."""
        return torch.sigmoid(logits)


@final
@dataclass(frozen=True)
class Laplace:
    """Each pixel has a Laplace distribution about sigmoid(logit): absolute error over `scale`, with its normaliser.

    Raises ValueError unless `scale` is positive.
    """

    scale: Positive = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.scale, int | float) and self.scale > 0):
            raise ValueError(f"likelihood.scale is a mean absolute error and must be positive, got {self.scale!r}")

    def nll(
        self, logits: Float[Tensor, "batch channel height width"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(image) summed over pixels, in nats, with the normaliser log(2 scale) per pixel."""
        absolute_error = _sum_pixels((torch.sigmoid(logits) - images).abs())
        return absolute_error / self.scale + logits[0].numel() * math.log(2 * self.scale)

    def mean(self, logits: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """Median image, which is the mean, in [0, 1]."""
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


def _normal_nll(logits: Tensor, images: Tensor, log_sigma: Float[Tensor, ""]) -> Float[Tensor, " batch"]:
    squared_error = _sum_pixels((torch.sigmoid(logits) - images).square())
    return squared_error / (2 * (2 * log_sigma).exp()) + logits[0].numel() * (log_sigma + 0.5 * math.log(2 * math.pi))


def _sum_pixels(terms: Tensor) -> Tensor:
    return terms.sum(dim=(1, 2, 3))
