"""The grid of ground-truth factors: which combination of factor values an image shows, and back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Integer


@dataclass(frozen=True, eq=False)
class FactorSpace:
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

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each factor; the full grid as an array shape."""
        return tuple(self.sizes.values())

    def factors(self, indices: Integer[np.ndarray, " n"]) -> Int[np.ndarray, "n factor"]:
        """Value index of each factor, one row per image index. ValueError if an index is out of range."""
        wrong = (indices < 0) | (indices >= len(self))
        if wrong.any():
            raise ValueError(f"image index must be 0 to {len(self) - 1}, got {indices[wrong][0]}")
        cells = indices if self.grid_rows is None else self.grid_rows[indices]
        return np.stack(np.unravel_index(cells, self.shape), axis=-1).astype(np.int64, copy=False)

    def indices(self, factors: Integer[np.ndarray, "n factor"]) -> Int[np.ndarray, " n"]:
        """Image index of each row of value indices.

        ValueError names the factor and the value out of range, or the combination that has no image.
        """
        wrong = (factors < 0) | (factors >= np.array(self.shape))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"{self.names[column]} must be 0 to {self.shape[column] - 1}, got {factors[row, column]} in row {row}"
            )
        cells = np.asarray(np.ravel_multi_index(tuple(factors.T), self.shape), np.int64)
        indices, exists = self._find(cells)
        if not exists.all():
            missing = factors[np.flatnonzero(~exists)[0]].tolist()
            raise ValueError(f"no image shows the combination {dict(zip(self.names, missing, strict=True))}")
        return indices

    def subset(self, counts: Mapping[str, int]) -> "tuple[FactorSpace, Int[np.ndarray, ' n']]":
        """The space with only `counts[name]` evenly spaced values of the named factors, and its images' indices here.

        Value `i` of `n` is value `i * size // n` of the factor. ValueError for an unknown factor, a count that is not
        1 to size, or when no image is left.
        """
        self._check_counts(counts)
        sizes = {name: counts.get(name, size) for name, size in self.sizes.items()}
        kept = [np.arange(sizes[name]) * size // sizes[name] for name, size in self.sizes.items()]
        cells = np.asarray(np.ravel_multi_index(np.ix_(*kept), self.shape), np.int64).reshape(-1)
        indices, exists = self._find(cells)
        if exists.all():
            return FactorSpace(sizes), indices
        if not exists.any():
            raise ValueError(f"dataset.subset {dict(counts)} leaves no image; keep more values")
        return FactorSpace(sizes, np.flatnonzero(exists)), indices[exists]

    def _check_counts(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            if name not in self.sizes:
                raise ValueError(f"dataset.subset names {name!r}; the factors are {', '.join(self.names)}")
            if not isinstance(count, int) or not 1 <= count <= self.sizes[name]:
                raise ValueError(f"dataset.subset.{name} must be a whole number, 1 to {self.sizes[name]}, got {count}")

    def _find(self, cells: Int[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
        """(image index, whether there is such an image) of flat indices of the full grid."""
        if self.grid_rows is None:
            return cells, np.ones(len(cells), bool)
        indices = np.searchsorted(self.grid_rows, cells)
        return indices, self.grid_rows[np.minimum(indices, len(self.grid_rows) - 1)] == cells
