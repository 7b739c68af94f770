"""Images beside others that show the same value of some factors: pairs that correspond, functions of (seed, step)."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Int

from disent_runner.datasets.batches import BatchSource, Draw
from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN


@final
class SharingBatches(BatchSource):
    """Random images, each with another that has the same values of the factors `shared`, and otherwise any.

    With `alike`, the second half of the images are others of the first half's values of those factors, one for one.

    ValueError for an unknown factor, a missing label, or an image that has no such other.
    """

    def __init__(
        self, *, space: Factors, shared: Sequence[str], batch_size: int, seed: int, alike: Sequence[str] | None = None
    ) -> None:
        self._sharing = _Others(space, shared)
        self._alike = None if alike is None else _Others(space, alike)
        self._num_images = len(space)
        self._batch_size = batch_size
        self._seed = seed

    def draw(self, step: int, stream: int = 0) -> Draw:
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(stream, step)))
        if self._alike is None:
            rows = rng.integers(self._num_images, size=self._batch_size)
        else:
            first = rng.integers(self._num_images, size=(self._batch_size + 1) // 2)
            rows = np.concatenate([first, self._alike.draw(first[: self._batch_size // 2], rng)])
        return Draw(torch.from_numpy(rows), torch.from_numpy(self._sharing.draw(rows, rng)))


@final
class _Others:
    """Images by their values of some factors, side by side in `order`."""

    def __init__(self, space: Factors, factors: Sequence[str]) -> None:
        columns = [space.column(name, "model.identity or model.pose") for name in factors]
        labels = space.factors(np.arange(len(space)))[:, columns]
        text = " and ".join(factors)
        if unknown := int((labels == UNKNOWN).any(axis=1).sum()):
            raise ValueError(f"{unknown} images have no label of {text}, by which pairs are made")
        cells = np.ravel_multi_index(tuple(labels.T), [space.shape[column] for column in columns])  # pyright: ignore
        _, group, counts = np.unique(cells, return_inverse=True, return_counts=True)
        if alone := int((counts == 1).sum()):
            raise ValueError(f"{alone} of {len(space)} images have the {text} of no other image, and pairs need one")
        self._order = np.argsort(group, kind="stable")
        self._counts = counts[group]
        self._starts = (np.cumsum(counts) - counts)[group]
        self._places = np.empty(len(space), np.int64)
        self._places[self._order] = np.arange(len(space)) - self._starts[self._order]

    def draw(self, rows: Int[np.ndarray, " batch"], rng: np.random.Generator) -> Int[np.ndarray, " batch"]:
        """Another image for each row."""
        places = (self._places[rows] + rng.integers(1, self._counts[rows])) % self._counts[rows]
        return self._order[self._starts[rows] + places]
