"""SCAN's operators: what AND, IN COMMON and IGNORE make of two concepts, learned in the space of codes."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch, BatchSource, Draw
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.symbols.concepts import MOST_COUNTED, Concepts, Scenes, scenes_shown
from disent_runner.datasets.symbols.pair_batches import RecombinationBatches
from disent_runner.datasets.symbols.recombinations import AND, IGNORE, IN_COMMON, OPERATORS
from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.losses.concepts import GROUNDINGS
from disent_runner.losses.gaussian import Normal
from disent_runner.machine.ranges import Count, OneOf
from disent_runner.models.abstract_concepts import AbstractConcepts, symbols_in
from disent_runner.models.abstract_vae import posterior
from disent_runner.models.base import AbstractModel, optimise
from disent_runner.models.frozen import Frozen, check_same_data
from disent_runner.models.frozen_posteriors import FrozenPosteriors
from disent_runner.networks.recombination import RecombinationNetwork

TARGETS = ("image", "symbol")


@final
class Recombination(AbstractModel):
    """Higgins et al. 2018: KL(q(z|x) ‖ ψ(z|y₁, y₂, r)) of the result of an operator r on two concepts.

    x is an image that shows the result, and all but ψ is that of the frozen `concepts`. `kl` reverse turns the
    divergence round, as in their SCAN_R. `target` symbol: q(z|y) of the result's symbols instead of q(z|x), as in a
    public replication. Neither concepts nor results are ever a combination that training images do not show; images are
    `num_images` of those, of as many combinations as there are.
    """

    learns_from_labels = True
    sees_by = "concepts"

    def __init__(
        self,
        *,
        info: DatasetInfo,
        concepts: Frozen,
        target: Annotated[str, OneOf(*TARGETS)],
        kl: Annotated[str, OneOf(*GROUNDINGS)],
        hidden: Count,
        num_images: Count,
        init: Callable[[nn.Module], None],
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        check_same_data("concepts", concepts, info)
        if not isinstance(concepts.model, AbstractConcepts):
            raise ValueError(
                f"model.concepts must be a run of scan_concepts, jmvae or telbo, got one of "
                f"{type(concepts.model).__name__}"
            )
        sizes = concepts.model.vocabulary.sizes.values()
        if (count := math.prod(size + 1 for size in sizes)) > MOST_COUNTED:
            raise ValueError(
                f"model.concepts is of {len(sizes)} factors with {count:,} concepts, operators take at most "
                f"{MOST_COUNTED:,}; name fewer, 'concepts.model.factors=[{','.join(concepts.model.factors[:2])}]'"
            )
        if target not in TARGETS or kl not in GROUNDINGS:
            raise ValueError(
                f"model.target must be {' or '.join(TARGETS)} and model.kl {' or '.join(GROUNDINGS)}, "
                f"got {target!r} and {kl!r}"
            )
        self.concepts = concepts
        self.latent_dim = concepts.latent_dim
        self.target = target
        self.divergence = GROUNDINGS[kl]
        self.num_images = num_images
        self.network = RecombinationNetwork(num_operators=len(OPERATORS), hidden=hidden, init=init)
        self.optimizer = optimizer
        self.seen: FrozenPosteriors | None = None

    @property
    def taught(self) -> AbstractConcepts:
        """The model of the concepts."""
        assert isinstance(self.concepts.model, AbstractConcepts)  # checked where it came
        return self.concepts.model

    @property
    def vocabulary(self) -> Vocabulary:
        return self.taught.vocabulary

    @property
    def factors(self) -> tuple[str, ...]:
        return self.taught.factors

    @property
    def train_concepts(self) -> Tensor:
        return self.taught.train_concepts

    @property
    def unseen_concepts(self) -> Concepts:
        return self.taught.unseen_concepts

    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        return self.concepts.encode(images)

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.concepts.decode(codes)

    @torch.no_grad()
    def encode_symbols(self, symbols: Float[Tensor, "batch symbol"]) -> Normal:
        """q(z|y) of the concepts."""
        self.concepts.on(symbols.device)
        return self.taught.encode_symbols(symbols)

    @torch.no_grad()
    def describe(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch symbol"]:
        """p(y|z) of the concepts."""
        self.concepts.on(codes.device)
        return self.taught.describe(codes)

    def recombine(self, operators: Int[Tensor, " batch"], first: Normal, second: Normal) -> Normal:
        """Mean and log variance of what each operator, an index into `OPERATORS`, makes of two concepts."""
        outputs = self.network(operators, torch.stack([*first, *second], dim=2))
        return posterior(torch.cat(outputs.unbind(2), dim=1))

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        """Of a pool of images, the same for the same seed, whose posteriors are computed once."""
        pool = draw_pool(scenes_shown(training.space, self.factors), count=self.num_images, seed=seed)
        self.seen = FrozenPosteriors(self.concepts, torch.from_numpy(pool))
        scenes = scenes_shown(training.space.take(pool), self.factors)
        drawn = RecombinationBatches(vocabulary=self.vocabulary, scenes=scenes, batch_size=batch_size, seed=seed)
        return _OfPool(drawn, torch.from_numpy(pool))

    def update(self, batch: Batch) -> dict[str, Tensor]:
        symbols, operators = symbols_in(batch), operators_of(batch)
        first, second = (self.encode_symbols(symbols[:, operand]) for operand in (0, 1))
        result = self.recombine(operators, first, second)
        terms = self.divergence(self._target(batch, operators, symbols), result)
        loss = terms.mean()
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        return {"loss": loss.detach(), "grounding": loss.detach(), **self._by_operator(terms.detach(), batch.draw)}

    def _by_operator(self, terms: Float[Tensor, " batch"], draw: Draw) -> dict[str, Tensor]:
        """The mean of the terms of each operator that is there."""
        assert draw.operators is not None
        places = {operator.name: (draw.operators == index).nonzero()[:, 0] for index, operator in enumerate(OPERATORS)}
        return {
            f"grounding_{name.lower().replace(' ', '_')}": terms[place.to(terms.device)].mean()
            for name, place in places.items()
            if len(place)
        }

    def _target(self, batch: Batch, operators: Tensor, symbols: Tensor) -> Normal:
        if self.target == "symbol":
            return self.encode_symbols(result_of(operators, symbols, self.vocabulary))
        if self.seen is None:
            raise ValueError("Recombination learns from batches of its own, those of `batches`")
        return self.seen.of(batch)

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.network.parameters()))}


@final
class _OfPool(BatchSource):
    """Batches of some images, by their rows of the training set."""

    def __init__(self, drawn: BatchSource, pool: Int[Tensor, " image"]) -> None:
        self._drawn = drawn
        self._pool = pool

    def draw(self, step: int, stream: int = 0) -> Draw:
        draw = self._drawn.draw(step, stream)
        return replace(draw, rows=self._pool[draw.rows])


def draw_pool(scenes: Scenes, *, count: int, seed: int) -> Int[np.ndarray, " image"]:
    """Increasing indices of `count` images, all where there are fewer: no combination twice more often than another."""
    images = np.random.default_rng(seed).permutation(len(scenes.combinations))
    sizes = np.bincount(scenes.combinations)
    rounds = np.empty_like(images)  # of each combination the first image, then the second, …
    by_combination = np.argsort(scenes.combinations[images], kind="stable")
    rounds[by_combination] = np.arange(len(images)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(images[np.argsort(rounds, kind="stable")[:count]])


def operators_of(batch: Batch) -> Int[Tensor, " batch"]:
    if batch.draw.operators is None:
        raise ValueError(f"{type(batch.source).__name__} draws images without operators")
    return batch.draw.operators.to(batch.device, non_blocking=True)


def result_of(
    operators: Int[Tensor, " batch"], symbols: Float[Tensor, "batch 2 symbol"], vocabulary: Vocabulary
) -> Float[Tensor, "batch symbol"]:
    """Symbols of what each operator makes of two concepts; synonyms are taken for what they mean."""
    meanings = torch.from_numpy(vocabulary.values).to(symbols.device)
    first, second = torch.zeros_like(symbols).index_add_(2, meanings, symbols).clamp_max(1).unbind(1)
    results = {AND: torch.maximum(first, second), IN_COMMON: first * second, IGNORE: first * (1 - second)}
    stacked = torch.stack([results[operator] for operator in OPERATORS], dim=1)
    return stacked[torch.arange(len(operators), device=symbols.device), operators]
