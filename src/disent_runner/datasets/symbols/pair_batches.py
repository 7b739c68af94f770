"""What SCAN and its operators learn from, by step: symbols beside images that show them (Higgins et al. 2018).

Functions of (seed, step). No combination held out is in anything drawn: concepts and rows come from `Scenes`.
"""

import math
from typing import final

import numpy as np
import torch
from jaxtyping import Int

from disent_runner.datasets.batches import STEPS_PER_CHUNK, BatchSource, Draw, UniformBatches
from disent_runner.datasets.symbols.concepts import Concepts, Scenes
from disent_runner.datasets.symbols.recombinations import OPERATORS, draw_recombinations
from disent_runner.datasets.symbols.vocabulary import Vocabulary


@final
class SymbolBatches(BatchSource):
    """Every pair of a concept and one of its images equally often, epoch after epoch of permutations.

    `rows[c]` are the images of `concepts[c]`. Any of a value's symbols is used. Streams from 1 on are images alone,
    those of `images`. ValueError if `batch_size` is below 1 or above the number of pairs.
    """

    def __init__(
        self,
        *,
        vocabulary: Vocabulary,
        concepts: Concepts,
        rows: Int[np.ndarray, "concept image"],
        batch_size: int,
        seed: int,
        images: BatchSource,
    ) -> None:
        if batch_size > rows.size:
            raise ValueError(
                f"dataset.batch_size is {batch_size}, but there are {rows.size} pairs of a concept and an image; "
                f"set dataset.batch_size={rows.size}"
            )
        self._vocabulary = vocabulary
        self._concepts = concepts
        self._rows = rows
        self._pairs = UniformBatches(num_images=rows.size, batch_size=batch_size, seed=seed)
        self._seed = seed
        self._images = images

    def draw(self, step: int, stream: int = 0) -> Draw:
        if stream > 0:
            return self._images.draw(step, stream)
        concept, image = np.divmod(self._pairs.draw(step).rows.numpy(), self._rows.shape[1])
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(step,)))
        symbols = self._vocabulary.encode(self._concepts[concept], rng)
        return Draw(torch.from_numpy(self._rows[concept, image]), symbols=torch.from_numpy(symbols))


@final
class RecombinationBatches(BatchSource):
    """Two concepts, an operator, and an image that shows what it makes of them; the operators take turns.

    ValueError if `batch_size` is below 1, or where there is but one factor.
    """

    def __init__(self, *, vocabulary: Vocabulary, scenes: Scenes, batch_size: int, seed: int) -> None:
        if batch_size < 1:
            raise ValueError(f"dataset.batch_size must be at least 1, got {batch_size}")
        if len(scenes.sizes) < 2:
            raise ValueError(f"operators need concepts of at least two factors, got {', '.join(scenes.sizes)}")
        self._vocabulary = vocabulary
        self._scenes = scenes
        self._batch_size = batch_size
        self._seed = seed
        self._latest: dict[int, tuple[int, np.ndarray]] = {}

    def draw(self, step: int, stream: int = 0) -> Draw:
        chunk, offset = divmod(step, STEPS_PER_CHUNK)
        turns = np.arange(offset * self._batch_size, (offset + 1) * self._batch_size)
        places, operators = np.divmod(turns, len(OPERATORS))
        first, second, result = self._chunk(chunk, stream)[operators, places].swapaxes(0, 1)
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(stream, step)))
        symbols = np.stack([self._vocabulary.encode(operand, rng) for operand in (first, second)], axis=1)
        rows = self._scenes.draw_image(result, rng)
        return Draw(torch.from_numpy(rows), symbols=torch.from_numpy(symbols), operators=torch.from_numpy(operators))

    def _chunk(self, chunk: int, stream: int) -> Int[np.ndarray, "operator place 3 factor"]:
        """Enough pairs and results of each operator for the steps of a chunk: a function of (seed, stream, chunk)."""
        latest = self._latest.get(stream)
        if latest is None or latest[0] != chunk:
            count = math.ceil(STEPS_PER_CHUNK * self._batch_size / len(OPERATORS))
            keys = np.random.SeedSequence(self._seed, spawn_key=(stream, chunk, 0)).generate_state(len(OPERATORS))
            drawn = [
                draw_recombinations(self._scenes, operator, count=count, seed=seed)
                for operator, seed in zip(OPERATORS, keys.tolist(), strict=True)
            ]
            concepts = [np.stack([pairs.first, pairs.second, pairs.result], axis=1) for pairs in drawn]
            latest = self._latest[stream] = chunk, np.stack(concepts)
        return latest[1]
