"""Codes of a generator and what its images tell of them (InfoGAN, Chen et al. 2016)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from disent_runner.losses.bounds import bounded
from disent_runner.losses.gaussian import normal_log_density

LEAST_LOG_SIGMA = -4.0
"""Without a floor the bound on continuous codes grows for ever as σ goes to 0."""


@dataclass(frozen=True)
class CodeLayout:
    """Categorical codes by their numbers of values, as one-hot vectors, then continuous ones uniform on [-1, 1].

    `sigma` of continuous codes under Q is learned, one more output each, or fixed to 1.

    ValueError for another sigma, a categorical code of fewer than two values, or no code at all.
    """

    categorical: Sequence[int]
    continuous: int
    sigma: str = "learned"

    def __post_init__(self) -> None:
        if self.sigma not in ("learned", "fixed"):
            raise ValueError(f"model.sigma must be learned or fixed, got {self.sigma!r}")
        if any(size < 2 for size in self.categorical) or self.continuous < 0 or self.num_dims == 0:
            raise ValueError(
                f"model.categorical must list sizes of 2 or more, model.continuous be a number, and there be a code; "
                f"got {list(self.categorical)} and {self.continuous}"
            )

    @property
    def num_dims(self) -> int:
        """Length of all codes side by side."""
        return sum(self.categorical) + self.continuous

    @property
    def num_outputs(self) -> int:
        """How many numbers Q gives: logits and means, then the logarithms of σ where they are learned."""
        return self.num_dims + (self.continuous if self.sigma == "learned" else 0)

    @property
    def categorical_entropy(self) -> float:
        """H(c) of all categorical codes together, in nats: the most that the bound can be."""
        return sum(map(math.log, self.categorical))

    @property
    def continuous_entropy(self) -> float:
        """Differential entropy of all continuous codes together, in nats."""
        return self.continuous * math.log(2)

    def draw(self, count: int, device: torch.device) -> Float[Tensor, "count code"]:
        """Codes from the prior, by torch's own random state."""
        parts = [
            functional.one_hot(torch.randint(size, (count,), device=device), size).float() for size in self.categorical
        ]
        return torch.cat([*parts, 2 * torch.rand(count, self.continuous, device=device) - 1], dim=1)

    def draw_with(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, "count code"]:
        """Codes from the prior, by NumPy's generator."""
        parts = [np.eye(size, dtype=np.float32)[rng.integers(size, size=count)] for size in self.categorical]
        return np.concatenate([*parts, rng.uniform(-1, 1, (count, self.continuous)).astype(np.float32)], axis=1)

    def split(self, values: Float[Tensor, "batch code"]) -> list[Float[Tensor, "batch part"]]:
        """One part for each categorical code, then one of all continuous ones."""
        return list(values.split([*self.categorical, self.continuous], dim=1))


class Information(NamedTuple):
    """Bounds on what images tell of their codes, H(c) + E log Q(c|x), of all codes of a kind together, in nats."""

    categorical: Float[Tensor, ""]
    continuous: Float[Tensor, ""]


def code_information(
    layout: CodeLayout, codes: Float[Tensor, "batch code"], outputs: Float[Tensor, "batch output"]
) -> Information:
    """The variational bound L_I of each kind (Chen et al. 2016, eq. 5) from Q's outputs, a mean over the batch."""
    means, log_sigma = outputs[:, : layout.num_dims], outputs[:, layout.num_dims :]
    if layout.sigma == "fixed":
        log_sigma = torch.zeros(len(codes), layout.continuous, device=codes.device)
    return Information(
        categorical_log_likelihood(layout, codes, means).mean() + layout.categorical_entropy,
        continuous_log_likelihood(layout, codes, means, log_sigma).mean() + layout.continuous_entropy,
    )


def categorical_log_likelihood(
    layout: CodeLayout, codes: Float[Tensor, "batch code"], logits: Float[Tensor, "batch code"]
) -> Float[Tensor, " batch"]:
    """Log Q(c|x) of the categorical codes, summed over them, in nats."""
    total = torch.zeros(len(codes), device=codes.device)
    for code, logit in zip(layout.split(codes)[:-1], layout.split(logits)[:-1], strict=True):
        total = total + (code * logit.log_softmax(1)).sum(1)
    return total


def continuous_log_likelihood(
    layout: CodeLayout,
    codes: Float[Tensor, "batch code"],
    means: Float[Tensor, "batch code"],
    log_sigma: Float[Tensor, "batch continuous"],
) -> Float[Tensor, " batch"]:
    """Log Q(c|x) of the continuous codes under N(mean, σ²), σ not below e^-4, summed over them, in nats."""
    log_variance = 2 * bounded(log_sigma, LEAST_LOG_SIGMA, math.inf)
    return normal_log_density(layout.split(codes)[-1], layout.split(means)[-1], log_variance).sum(1)


def code_probabilities(layout: CodeLayout, outputs: Float[Tensor, "batch output"]) -> Float[Tensor, "batch code"]:
    """What represents an image: the probability of each value of categorical codes, the means of continuous ones."""
    *logits, means = layout.split(outputs[:, : layout.num_dims])
    return torch.cat([*(logit.softmax(1) for logit in logits), means], dim=1)
