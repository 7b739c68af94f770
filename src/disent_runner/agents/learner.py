"""What learns to act, as the runner has it: a piece of experience at a time, from observations alone."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from disent_runner.environments.seen import Seen

MakeOptimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class Learner(Protocol):
    """Acts in the environments that it was made with, and learns from what comes of it.

    All its randomness is of the global generators of NumPy and torch.
    """

    network: nn.Module
    """what it learns, all of it in its state"""
    steps_each: int
    """of all environments together that `advance` takes"""

    def optimizers(self, make: MakeOptimizer) -> dict[str, torch.optim.Optimizer]:
        """New ones, by the names of what they train; `advance` then uses them."""
        ...

    def begin(self, seed: int) -> None:
        """Start the first episodes of a seed, before the first `advance`; not where `restore` went on from others."""
        ...

    def advance(self, step: int) -> dict[str, float]:
        """Acts and learns for the `step`-th time. Returns what there is to log, by name."""
        ...

    def chances(self, seen: np.ndarray) -> np.ndarray:
        """(N, A): the probability of each action for observations (N, …), exploration that never ends included."""
        ...

    def to(self, device: torch.device) -> None:
        """Where the network was moved to."""
        ...

    def state(self) -> dict[str, Any]:
        """What `restore` takes beside the network's own state: tensors and plain numbers, by name."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state. ValueError where it is of another learner."""
        ...


class Eyes(nn.Module):
    """A network that sees images (N, channel, height, width) in [0, 1], and is trained with what acts on its codes."""

    def __init__(self, network: nn.Module, num_codes: int) -> None:
        super().__init__()
        self.network = network
        self.num_codes = num_codes

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images).float()


MakeLearner = Callable[[Seen, Eyes | None, int | tuple[int, int, int], int], Learner]
"""Environments, eyes to be trained or None, the shape of an observation (how many numbers of a code, or channel, height
and width of bytes), number of actions.
"""
