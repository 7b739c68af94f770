"""Labels of images that form no grid: many images of one class, attributes, labels that are missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int, Integer

from disent_runner.datasets.labels.factors import Factors

UNKNOWN = -1
"""Value index of a label that is not known."""


@final
@dataclass(frozen=True, eq=False)
class LabelTable(Factors):
    """One row of value indices for each image, in any order, repeated or UNKNOWN; `sizes` may be empty.

    ValueError where `labels` is not (image, factor) of whole numbers from UNKNOWN to the factor's size - 1.
    """

    sizes: Mapping[str, int]
    labels: Integer[np.ndarray, "image factor"]

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.shape[1] != len(self.sizes):
            raise ValueError(f"labels must be (image, {len(self.sizes)}), got shape {self.labels.shape}")
        for (name, size), column in zip(self.sizes.items(), self.labels.T, strict=True):
            wrong = (column < UNKNOWN) | (column >= size)
            if wrong.any():
                raise ValueError(f"{name} must be 0 to {size - 1} (-1: unknown), got {column[wrong][0]}")

    def __len__(self) -> int:
        return len(self.labels)

    def factors(self, indices: Integer[np.ndarray, " n"]) -> Int[np.ndarray, "n factor"]:
        self._check_indices(indices)
        return self.labels[indices].astype(np.int64, copy=False)

    def indices(self, factors: Integer[np.ndarray, "n factor"]) -> Int[np.ndarray, " n"]:
        self._check_range(factors)
        matches = (self.labels == factors[:, None]).all(axis=2)
        counts = matches.sum(axis=1)
        if (counts != 1).any():
            row = np.flatnonzero(counts != 1)[0]
            asked = dict(zip(self.names, factors[row].tolist(), strict=True))
            raise ValueError(f"{counts[row]} images show the combination {asked}, expected one")
        return matches.argmax(axis=1)

    def take(self, indices: Integer[np.ndarray, " n"]) -> "LabelTable":
        self._check_indices(indices)
        return LabelTable(self.sizes, self.labels[indices])

    def subset(self, counts: Mapping[str, int]) -> "tuple[LabelTable, Int[np.ndarray, ' n']]":
        kept = self._kept_values(counts)
        labels = np.stack(
            [_ranks_among(column, values) for column, values in zip(self.labels.T, kept, strict=True)], axis=1
        )
        named = [self.names.index(name) for name in counts]
        indices = np.flatnonzero((labels[:, named] != UNKNOWN).all(axis=1))
        if len(indices) == 0:
            raise ValueError(f"dataset.subset {dict(counts)} leaves no image; keep more values")
        sizes = {name: len(values) for name, values in zip(self.names, kept, strict=True)}
        return LabelTable(sizes, labels[indices]), indices

    def _table(self) -> np.ndarray:
        return self.labels


def _ranks_among(column: Integer[np.ndarray, " image"], values: Int[np.ndarray, " kept"]) -> Int[np.ndarray, " image"]:
    """Position of each label among the values, UNKNOWN for the others."""
    positions = np.minimum(np.searchsorted(values, column), len(values) - 1)
    return np.where(values[positions] == column, positions, UNKNOWN)
