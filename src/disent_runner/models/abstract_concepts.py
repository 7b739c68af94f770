"""The base of what learns concepts from symbols beside images: SCAN and the models that it is compared with."""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.grouped_batches import sizes_of
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.symbols.concepts import FACTORS, Concepts, Scenes, draw_concepts, scenes_shown
from disent_runner.datasets.symbols.pair_batches import SymbolBatches
from disent_runner.datasets.symbols.vocabulary import draw_vocabulary
from disent_runner.losses.concepts import specificity
from disent_runner.losses.gaussian import Normal
from disent_runner.machine.ranges import Count, SomeNames, WholeNumber
from disent_runner.models.base import AbstractModel, optimise, weighted_sum

MOST_COMBINATIONS = 10_000_000


class AbstractConcepts(AbstractModel):
    """Learns from pairs of symbols and images: `num_concepts` concepts of all orders, `images_per_concept` each.

    Concepts are of `factors`; None: those of SCAN's rooms where the data set has them, else all. Which concepts and
    images it learns from is drawn when training starts, among those that training may see, and kept in checkpoints.
    """

    learns_from_labels = True
    symbol_decoder: nn.Module

    def __init__(
        self,
        *,
        info: DatasetInfo,
        factors: SomeNames | None,
        num_concepts: Count,
        images_per_concept: Count,
        synonyms: WholeNumber,
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.factors = _factors(factors, info)
        sizes = dict(zip(self.factors, sizes_of(self.factors, info.factors, "model.factors"), strict=True))
        if (count := math.prod(sizes.values())) > MOST_COMBINATIONS:
            raise ValueError(
                f"model.factors: {len(sizes)} factors have {count:,} combinations, at most {MOST_COMBINATIONS:,} are "
                f"taken; name fewer, 'model.factors=[{','.join(self.factors[:2])}]'"
            )
        self.vocabulary = draw_vocabulary(sizes, synonyms=synonyms, value_names=info.value_names)
        """The symbols; the same for every seed."""
        self.optimizer = optimizer
        self.register_buffer("train_concepts", torch.zeros(num_concepts, len(sizes), dtype=torch.int64))
        self.register_buffer("train_rows", torch.zeros(num_concepts, images_per_concept, dtype=torch.int64))
        self.register_buffer("held_out", torch.zeros(math.prod(sizes.values()), dtype=torch.bool))
        self.train_concepts: Tensor
        """(concept, factor) values, ANY where a concept names none."""
        self.train_rows: Tensor
        """(concept, image) rows of the training set."""
        self.held_out: Tensor
        """Which combinations of all factors no training image shows, the last factor fastest."""

    @abstractmethod
    def encode_symbols(self, symbols: Float[Tensor, "batch symbol"]) -> Normal:
        """q(z|y): mean and log variance."""

    @abstractmethod
    def loss_terms(self, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        """Unweighted terms by name, each per example, in nats."""

    @abstractmethod
    def weights(self) -> dict[str, float]:
        """The weight of each term."""

    @property
    def unseen_concepts(self) -> Concepts:
        """The combinations of all factors that no training image shows."""
        numbers = np.flatnonzero(self.held_out.cpu().numpy())
        return np.stack(np.unravel_index(numbers, tuple(self.vocabulary.sizes.values())), axis=1)

    def check_training(self, training: Dataset) -> None:
        self._draw_concepts(scenes_shown(training.space, self.factors), seed=0)

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        """Draws what to learn from. ValueError where there are too few concepts with so many images."""
        scenes = scenes_shown(training.space, self.factors)
        seeds = rng.integers(2**31, size=2).tolist()
        num_images = self.train_rows.shape[1]
        concepts = self._draw_concepts(scenes, seed=seeds[0])
        self.train_concepts.copy_(torch.from_numpy(concepts))
        self.train_rows.copy_(torch.from_numpy(scenes.draw_images(concepts, count=num_images, seed=seeds[1])))
        self.held_out.copy_(torch.from_numpy(scenes.held_out))

    def _draw_concepts(self, scenes: Scenes, *, seed: int) -> Concepts:
        count, num_images = self.train_rows.shape
        try:
            return draw_concepts(scenes, count=count, seed=seed, num_images=num_images)
        except ValueError as error:
            raise ValueError(f"model.num_concepts={count}: {error}") from None

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        return SymbolBatches(
            vocabulary=self.vocabulary,
            concepts=self.train_concepts.cpu().numpy(),
            rows=self.train_rows.cpu().numpy(),
            batch_size=batch_size,
            seed=seed,
            images=source,
        )

    def describe(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch symbol"]:
        """p(y|z): the probability of each symbol."""
        return torch.sigmoid(self.symbol_decoder(codes).float())

    def update(self, batch: Batch) -> dict[str, Tensor]:
        means = {name: term.mean() for name, term in self.loss_terms(batch).items()}
        loss = weighted_sum(means, self.weights_at(batch.step))
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        logged = {"loss": loss.detach(), **{name: mean.detach() for name, mean in means.items()}}
        if batch.is_logged:
            with torch.no_grad():
                logged["specificity"] = specificity(self.encode_symbols(symbols_in(batch))[1]).mean(0)
        return logged

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.parameters()))}


def symbols_in(batch: Batch) -> Float[Tensor, "batch *operands symbol"]:
    """The symbols of a batch, where its images are. ValueError where its source draws none."""
    if batch.draw.symbols is None:
        raise ValueError(f"{type(batch.source).__name__} draws images without symbols")
    return batch.draw.symbols.to(batch.device, non_blocking=True)


def _factors(named: Sequence[str] | None, info: DatasetInfo) -> tuple[str, ...]:
    if not info.factors:
        raise ValueError(f"concepts need ground-truth factors, {info.name} has none; choose another data set")
    if named is not None:
        return tuple(named)
    return FACTORS if set(FACTORS) <= set(info.factors) else tuple(info.factors)
