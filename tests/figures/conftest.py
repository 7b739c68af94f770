"""A run whose decoder paints each latent's value into one pixel, so that pictures can be read back."""

import numpy as np
import pytest

from disent_runner.datasets.info import DatasetInfo
from disent_runner.figures.inputs import FigureInputs
from disent_runner.representations.representation import Autoencoder, Representation

LATENTS = 3


def paint(codes: np.ndarray) -> np.ndarray:
    images = np.zeros((len(codes), 1, 2, 2))
    images[:, 0].reshape(-1, 4)[:, :LATENTS] = (codes + 4) / 8
    return images


@pytest.fixture
def inputs(rng: np.random.Generator) -> FigureInputs:
    factors = np.indices((4, 5)).reshape(2, -1).T
    noise = rng.normal(size=(20, 1))
    codes = np.hstack([noise, 2.0 * (factors[:, :1] - 1.5), 0.5 * (factors[:, 1:] - 2)])
    logvar = np.tile([0.0, -6.0, -3.0], (20, 1))
    codes[:, 0] = 0.0  # a dead latent: exactly the prior
    return FigureInputs(
        info=DatasetInfo("toy", (1, 2, 2), {"a": 4, "b": 5}, 20, "test"),
        representation=Representation(codes=codes, factors=factors, factor_sizes=(4, 5), logvar=logvar),
        train_log={"step": np.arange(10.0, 40, 10), "loss": np.ones(3), "kl_0": np.zeros(3), "kl_1": np.ones(3)},
        autoencoder=Autoencoder(
            images=lambda rows: paint(codes[rows]),
            decode=paint,
            jacobian=paint,
            prior=lambda count, rng: rng.standard_normal((count, LATENTS)),
        ),
    )
