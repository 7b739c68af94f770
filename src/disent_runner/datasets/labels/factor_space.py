"""The grid of ground-truth factors: which combination of factor values an image shows, and back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int, Integer

from disent_runner.datasets.labels.factors import Factors


@final
@dataclass(frozen=True, eq=False)
class FactorSpace(Factors):
    """Combinations of factor values; image `i` shows combination `i`, last factor fastest.

    `sizes` maps each factor to its number of values. `grid_rows` lists the combinations that exist, as sorted flat
    indices of the full grid; None says that all of them do.
    """

    sizes: Mapping[str, int]
    grid_rows: Int[np.ndarray, " image"] | None = None

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.sizes.values()):
            raise ValueError(f"every factor needs at least one value, got sizes {dict(self.sizes)}")
        rows, num_combinations = self.grid_rows, math.prod(self.shape)
        if rows is None:
            return
        if len(rows) == 0 or (np.diff(rows) < 1).any() or rows[0] < 0 or rows[-1] >= num_combinations:
            raise ValueError(f"grid_rows must be increasing, unique and within 0 to {num_combinations - 1}")

    def __len__(self) -> int:
        return math.prod(self.shape) if self.grid_rows is None else len(self.grid_rows)

    def factors(self, indices: Integer[np.ndarray, " n"]) -> Int[np.ndarray, "n factor"]:
        self._check_indices(indices)
        cells = indices if self.grid_rows is None else self.grid_rows[indices]
        return np.stack(np.unravel_index(cells, self.shape), axis=-1).astype(np.int64, copy=False)

    def indices(self, factors: Integer[np.ndarray, "n factor"]) -> Int[np.ndarray, " n"]:
        self._check_range(factors)
        cells = np.asarray(np.ravel_multi_index(tuple(factors.T), self.shape), np.int64)
        indices, exists = self._find(cells)
        if not exists.all():
            missing = factors[np.flatnonzero(~exists)[0]].tolist()
            raise ValueError(f"no image shows the combination {dict(zip(self.names, missing, strict=True))}")
        return indices

    def take(self, indices: Integer[np.ndarray, " n"]) -> "FactorSpace":
        self._check_indices(indices)
        return FactorSpace(self.sizes, indices if self.grid_rows is None else self.grid_rows[indices])

    def subset(self, counts: Mapping[str, int]) -> "tuple[FactorSpace, Int[np.ndarray, ' n']]":
        kept = self._kept_values(counts)
        sizes = {name: len(values) for name, values in zip(self.names, kept, strict=True)}
        cells = np.asarray(np.ravel_multi_index(np.ix_(*kept), self.shape), np.int64).reshape(-1)
        indices, exists = self._find(cells)
        if exists.all():
            return FactorSpace(sizes), indices
        if not exists.any():
            raise ValueError(f"dataset.subset {dict(counts)} leaves no image; keep more values")
        return FactorSpace(sizes, np.flatnonzero(exists)), indices[exists]

    def _table(self) -> np.ndarray | None:
        return self.grid_rows

    def _find(self, cells: Int[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
        """(image index, whether there is such an image) of flat indices of the full grid."""
        if self.grid_rows is None:
            return cells, np.ones(len(cells), bool)
        indices = np.searchsorted(self.grid_rows, cells)
        return indices, self.grid_rows[np.minimum(indices, len(self.grid_rows) - 1)] == cells
