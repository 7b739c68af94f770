"""Models on a few real images, without a Trainer: `update` is called as the Trainer would."""

import inspect
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
from disent_runner.datasets.splits import by_combination
from disent_runner.datasets.symbols.concepts import FACTORS
from disent_runner.losses.likelihoods import Bernoulli
from disent_runner.models.abstract_concepts import AbstractConcepts
from disent_runner.models.abstract_vae import AbstractVAE
from disent_runner.models.base import AbstractModel
from disent_runner.models.frozen import Frozen
from disent_runner.models.vae import VAE
from disent_runner.networks.symbols import JointEncoder, SymbolNetwork
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


@pytest.fixture(scope="session")
def rooms() -> Dataset:
    """Rooms of which four numbers can be named and one not, without those of a few combinations; pixels tell them."""
    space = FactorSpace({"wall": 3, "floor": 3, "object": 2, "identity": 2, "yaw": 4})
    wall, floor, thing, identity, yaw = space.factors(np.arange(144)).T
    images = np.zeros((144, 3, 16, 16), np.uint8)
    images[np.arange(144), wall, :8] = 200
    images[np.arange(144), floor, 8:] = 120
    for height in range(4):
        for width in range(4):
            images[np.arange(144), thing, 6 + height + 2 * identity, 3 * yaw + width] = 255
    whole = Dataset(DatasetInfo("rooms", (3, 16, 16), space.sizes, 144, "test"), space, ByteImages(images), "")
    held_out = by_combination(space, factors=FACTORS, count=4, seed=0)
    return whole.take(np.flatnonzero(~held_out))


@pytest.fixture
def vision(make: Make, rooms: Dataset) -> Frozen:
    """Untrained."""
    return Frozen(make(VAE, info=rooms.info), rooms.info)


@pytest.fixture
def teach(rooms: Dataset) -> Callable[..., tuple[Any, Callable[..., Batch]]]:
    """`teach(ScanConcepts, vision=vision, …)`: the model at its start, and its batch of a step."""

    def build(method: type[AbstractModel], *, seed: int = 0, batch_size: int = 12, **settings: Any) -> tuple:
        torch.manual_seed(seed)
        symbols = {"num_concepts": 20, "images_per_concept": 3, "synonyms": 2, "factors": None}
        symbols |= {"symbol_encoder": SymbolNetwork, "symbol_decoder": SymbolNetwork}
        images = {"latent_dim": 3, "encoder": TinyEncoder, "decoder": TinyDecoder, "likelihood": Bernoulli()}
        images |= {"joint_encoder": JointEncoder}
        taken = set(inspect.signature(method).parameters)
        if issubclass(method, AbstractConcepts):
            taken |= set(inspect.signature(AbstractConcepts).parameters)
        common = {key: value for key, value in {**symbols, **images}.items() if key in taken}
        sgd = partial(torch.optim.SGD, lr=LEARNING_RATE)
        model: Any = method(**{"info": rooms.info, "optimizer": sgd, **common, **settings})
        model.configure_optimizers()
        model.learn(rooms, np.random.default_rng(seed))
        plain = UniformBatches(num_images=len(rooms), batch_size=batch_size, seed=seed)
        source = model.batches(rooms, plain, batch_size=batch_size, seed=seed)
        device = torch.device("cpu")
        return model, lambda step=0: Batch(step=step, is_logged=True, source=source, dataset=rooms, device=device)

    return build
