"""Stable-Baselines3 as its users call it, and ours beside it: from the same seeds both come to the same weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from disent_runner.agents.stable_baselines import StableBaselines
from disent_runner.environments.seen import Seen
from disent_runner.environments.toyarena import toyarena

NUM_ENVS = 2
Make = Callable[[Seen], StableBaselines]


def see(images: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    """Means of the four quarters, 12 numbers."""
    quarters = images.reshape(len(images), 2, 16, 2, 16, 3).mean((2, 4), dtype=np.float32) / 255
    return quarters.reshape(len(images), 12)


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([values.flatten() for values in network.state_dict().values()])


def made(make: Make, seed: int) -> StableBaselines:
    pl.seed_everything(seed, verbose=False)
    return make(Seen(toyarena(NUM_ENVS), see))


def driven(make: Make, optimizer: Any, *, iterations: int, seed: int = 3) -> StableBaselines:
    learner = made(make, seed)
    learner.optimizers(optimizer)
    pl.seed_everything(seed, verbose=False)
    learner.begin(0)
    for step in range(iterations):
        learner.advance(step)
    return learner


def learned(make: Make, optimizer: Any, *, timesteps: int, seed: int = 3) -> StableBaselines:
    """By the algorithm's own `learn`."""
    learner = made(make, seed)
    learner.optimizers(optimizer)
    pl.seed_everything(seed, verbose=False)
    learner._algorithm.learn(timesteps)
    return learner
