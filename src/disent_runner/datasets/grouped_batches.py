"""Batches whose images share some factors, and pairs that differ in a few: functions of (seed, step) too."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Int

from disent_runner.datasets.batches import BatchSource, Draw
from disent_runner.datasets.labels.factors import Factors


@final
class VaryingBatches(BatchSource):
    """Batches in which the factors of one kind vary and all others are those of one image (Kulkarni et al. 2015).

    `kinds` are lists of factors, drawn by their `odds`. Images of a batch differ where there are enough of them.

    ValueError for an unknown factor, odds that are no weights, or a kind whose factors vary in no two images alone.
    """

    def __init__(
        self,
        *,
        space: Factors,
        kinds: Sequence[Sequence[str]],
        odds: Sequence[float],
        batch_size: int,
        seed: int,
    ) -> None:
        weights = np.asarray(odds, np.float64)
        if len(weights) != len(kinds) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
            raise ValueError(f"model.odds must be a weight for each of {len(kinds)} kinds of batch, got {list(odds)}")
        self._chances = weights / weights.sum()
        self._batch_size = batch_size
        self._seed = seed
        labels = space.factors(np.arange(len(space)))
        self._kinds = [(tuple(kind), _Groups.by_all_but(kind, space, labels)) for kind in kinds]

    def draw(self, step: int, stream: int = 0) -> Draw:
        """All streams of a step are of one kind."""
        kind, groups = self._kinds[self._rng(step, 0).choice(len(self._chances), p=self._chances)]
        rows = groups.draw(self._batch_size, self._rng(step, stream + 1))
        return Draw(torch.from_numpy(rows), kind=kind)

    def _rng(self, step: int, stream: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(stream, step)))


@final
class _Groups:
    """Images that agree in all factors but some, side by side in `order`."""

    def __init__(self, order: Int[np.ndarray, " image"], starts: Int[np.ndarray, " group"], place: np.ndarray) -> None:
        self._order = order
        self._starts = starts
        self._ends = np.append(starts[1:], len(order))
        self._group_of = place

    @classmethod
    def by_all_but(cls, varying: Sequence[str], space: Factors, labels: Int[np.ndarray, "image factor"]) -> "_Groups":
        columns = [space.column(name, "model.factors") for name in varying]
        fixed = [column for column in range(len(space.sizes)) if column not in columns]
        # one number for each combination, -1 for unknown among the values: as quick as sorting numbers
        cells = np.zeros(len(labels), np.int64)
        for column in fixed:
            cells = cells * (space.shape[column] + 1) + labels[:, column] + 1
        _, group_of = np.unique(cells, return_inverse=True)
        order = np.argsort(group_of, kind="stable")
        starts = np.flatnonzero(np.diff(group_of[order], prepend=-1))
        if len(starts) == len(labels):
            raise ValueError(f"no two images differ in {' and '.join(varying)} alone; the model cannot learn them here")
        return cls(order, starts, group_of)

    def draw(self, batch_size: int, rng: np.random.Generator) -> Int[np.ndarray, " batch"]:
        """Images of the group of a random image."""
        group = self._group_of[rng.integers(len(self._order))]
        members = self._order[self._starts[group] : self._ends[group]]
        rounds, rest = divmod(batch_size, len(members))  # where there are too few, each as often as the others
        return np.concatenate([*[members] * rounds, rng.choice(members, rest, replace=False)])


@final
class PairBatches(BatchSource):
    """Images and partners that differ in `num_changed` random factors, always in their values.

    None: in 1 to K - 1 of the K factors that vary, evenly (Locatello et al. 2020, section 5). Needs a grid on which
    every combination is there; ValueError otherwise, or where `num_changed` is not 1 to K.
    """

    def __init__(self, *, space: Factors, num_changed: int | None, batch_size: int, seed: int) -> None:
        self._sizes = np.array(space.shape)
        self._varying = np.flatnonzero(self._sizes > 1)
        if len(space) != np.prod(self._sizes) or len(self._varying) < 2:
            raise ValueError(
                f"pairs need images of all combinations of at least two factors, got {len(space)} images of "
                f"{', '.join(f'{name} {size}' for name, size in space.sizes.items()) or 'no factors'}"
            )
        if num_changed is not None and not 1 <= num_changed <= len(self._varying):
            raise ValueError(f"model.num_changed must be 1 to {len(self._varying)} or null, got {num_changed}")
        self._space = space
        self._num_changed = num_changed
        self._batch_size = batch_size
        self._seed = seed

    def factors(
        self, step: int, stream: int = 0
    ) -> tuple[Int[np.ndarray, "batch factor"], Int[np.ndarray, "batch factor"]]:
        """Value indices of the images and of their partners."""
        key = (step, stream) if stream else (step,)
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))
        count, among = self._batch_size, len(self._varying)
        first = rng.integers(self._sizes, size=(count, len(self._sizes)))
        num_changed = rng.integers(1, among, size=count) if self._num_changed is None else self._num_changed
        rank = rng.permuted(np.tile(np.arange(among), (count, 1)), axis=1)
        steps = np.zeros_like(first)
        shift = rng.integers(1, self._sizes[self._varying], size=(count, among))  # never 0: another value
        steps[:, self._varying] = np.where(rank < np.reshape(num_changed, (-1, 1)), shift, 0)
        return first, (first + steps) % self._sizes

    def draw(self, step: int, stream: int = 0) -> Draw:
        rows, partners = (torch.from_numpy(self._space.indices(values)) for values in self.factors(step, stream))
        return Draw(rows, partners)


def sizes_of(factors: Sequence[str], sizes: Mapping[str, int], key: str) -> list[int]:
    """Number of values of the named factors. ValueError, naming the setting, for one that the data set has not."""
    unknown = [name for name in factors if name not in sizes]
    if unknown:
        raise ValueError(f"{key} names {unknown[0]!r}; the factors are {', '.join(sizes) or 'none'}")
    return [sizes[name] for name in factors]
