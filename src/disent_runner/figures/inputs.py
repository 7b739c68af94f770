"""What every figure gets: the run's numbers as arrays, and its decoder as a function of arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from disent_runner.datasets.info import DatasetInfo
from disent_runner.metrics.posterior_kl import mean_kl
from disent_runner.representation import Representation


@dataclass(frozen=True)
class FigureInputs:
    """A trained run, seen from its folder."""

    info: DatasetInfo
    representation: Representation
    train_log: Mapping[str, np.ndarray]
    """columns of train.csv, each (rows,)"""
    image: Callable[[np.ndarray], np.ndarray]
    """rows of the representation -> their images, (N, C, H, W) in [0, 1]"""
    decode: Callable[[np.ndarray], np.ndarray]
    """codes (N, D) -> images (N, C, H, W) in [0, 1]"""


@dataclass(frozen=True)
class Animation:
    """Frames (H, W) or (H, W, 3) uint8 to be shown in a loop."""

    frames: Sequence[np.ndarray]
    frames_per_second: float


def latent_kl(representation: Representation) -> np.ndarray:
    """Mean KL(q(z_j|x) ‖ N(0, 1)) of each latent over the images, (D,), in nats; NaN for point codes."""
    if representation.logvar is None:
        return np.full(representation.codes.shape[1], np.nan)
    return mean_kl(representation.codes, representation.logvar)


def by_kl(representation: Representation) -> np.ndarray:
    """Latents from the most to the least informative, (D,)."""
    return np.argsort(-np.nan_to_num(latent_kl(representation)), kind="stable")
