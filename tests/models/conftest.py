"""Models on a few real images, without a Trainer: `update` is called as the Trainer would."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.datasets.batches import Batch, UniformBatches
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.losses.likelihoods import Bernoulli
from disent_runner.models.abstract_vae import AbstractVAE
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder

Make = Callable[..., AbstractVAE]
LEARNING_RATE = 0.1


@pytest.fixture
def dataset() -> Dataset:
    space = FactorSpace({"row": 8, "column": 8})
    row, column = space.factors(np.arange(64)).T
    images = np.zeros((64, 1, 16, 16), np.uint8)
    for height in range(4):
        for width in range(4):
            images[np.arange(64), 0, row + height, column + width] = 255
    info = DatasetInfo("squares", (1, 16, 16), space.sizes, 64, "test")
    return Dataset(info, space, ByteImages(images), content_hash="")


@pytest.fixture
def batch(dataset: Dataset) -> Batch:
    source = UniformBatches(num_images=64, batch_size=12, seed=0)
    return Batch(step=0, is_logged=True, source=source, dataset=dataset, device=torch.device("cpu"))


@pytest.fixture
def make(dataset: Dataset) -> Make:
    """`make(BetaVAE, beta=4.0)`: plain SGD, so that a step shows the gradient itself."""

    def build(method: type[AbstractVAE], **settings: Any) -> AbstractVAE:
        torch.manual_seed(0)
        common = {
            "info": dataset.info,
            "latent_dim": 3,
            "encoder": TinyEncoder,
            "decoder": TinyDecoder,
            "likelihood": Bernoulli(),
            "optimizer": partial(torch.optim.SGD, lr=LEARNING_RATE),
        }
        model = method(**{**common, **settings})
        model.configure_optimizers()
        return model

    return build
