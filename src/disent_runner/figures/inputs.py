"""What every figure gets: the run's numbers as arrays, and its decoder as a function of arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from disent_runner.datasets.info import DatasetInfo
from disent_runner.metrics.estimators.posterior_kl import mean_kl
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import NotApplicable


@dataclass(frozen=True)
class FigureInputs:
    """A trained run, seen from its folder."""

    info: DatasetInfo
    representation: Representation
    train_log: Mapping[str, np.ndarray]
    """columns of train.csv, each (rows,)"""
    autoencoder: Autoencoder | None
    """None for a model without a decoder"""

    def image(self, rows: np.ndarray) -> np.ndarray:
        """Images of these rows of the representation, (N, C, H, W) in [0, 1]."""
        return self._with_decoder().images(rows)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Images of the codes (N, D), (N, C, H, W) in [0, 1]. NotApplicable for a model without a decoder."""
        return self._with_decoder().decode(codes)

    def prior(self, num_codes: int, rng: np.random.Generator) -> np.ndarray:
        """Codes (N, D) from the model's prior. NotApplicable for a model without a decoder."""
        return self._with_decoder().prior(num_codes, rng)

    def _with_decoder(self) -> Autoencoder:
        if self.autoencoder is None:
            raise NotApplicable("the picture needs a decoder, which this model has not")
        return self.autoencoder


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
    """Latents from the most to the least informative, (D,); those of point codes by their variance."""
    if representation.logvar is None:
        return np.argsort(-representation.codes.var(axis=0), kind="stable")
    return np.argsort(-latent_kl(representation), kind="stable")
