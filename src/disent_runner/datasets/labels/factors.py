"""Which factor values each image of a data set shows, whether they form a grid or not."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int, Integer


class Factors(ABC):
    """Value indices of the factors of every image; `sizes` maps each factor to its number of values."""

    sizes: Mapping[str, int]

    @abstractmethod
    def __len__(self) -> int:
        """Number of images."""

    @abstractmethod
    def factors(self, indices: Integer[np.ndarray, " n"]) -> Int[np.ndarray, "n factor"]:
        """Value index of each factor, one row per image index. ValueError if an index is out of range."""

    @abstractmethod
    def indices(self, factors: Integer[np.ndarray, "n factor"]) -> Int[np.ndarray, " n"]:
        """Image index of each row of value indices.

        ValueError names the factor and the value out of range, or the combination that not exactly one image shows.
        """

    @abstractmethod
    def take(self, indices: Integer[np.ndarray, " n"]) -> "Factors":
        """The factors of these images only; the indices increase."""

    @abstractmethod
    def subset(self, counts: Mapping[str, int]) -> "tuple[Factors, Int[np.ndarray, ' n']]":
        """Only `counts[name]` evenly spaced values of the named factors, and the indices here of the images left.

        Value `i` of `n` is value `i * size // n` of the factor. ValueError for an unknown factor, a count that is not
        1 to size, or when no image is left.
        """

    def digest(self) -> str:
        """Hash of the factors' names and of what each image shows."""
        digest = hashlib.sha256(repr(dict(self.sizes)).encode())
        table = self._table()
        if table is not None:
            digest.update(np.ascontiguousarray(table, np.int64).data)
        return digest.hexdigest()

    @abstractmethod
    def _table(self) -> Integer[np.ndarray, "..."] | None:
        """What the images show, as far as it does not follow from the sizes."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each factor; the full grid as an array shape."""
        return tuple(self.sizes.values())

    def column(self, name: str, key: str) -> int:
        """Position of the factor that the setting `key` names. ValueError for no such factor."""
        if name not in self.sizes:
            raise ValueError(f"{key} names {name!r}; the factors are {', '.join(self.names) or 'none'}")
        return self.names.index(name)

    def _check_range(self, factors: Integer[np.ndarray, "n factor"]) -> None:
        wrong = (factors < 0) | (factors >= np.array(self.shape))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"{self.names[column]} must be 0 to {self.shape[column] - 1}, got {factors[row, column]} in row {row}"
            )

    def _check_indices(self, indices: Integer[np.ndarray, " n"]) -> None:
        wrong = (indices < 0) | (indices >= len(self))
        if wrong.any():
            raise ValueError(f"image index must be 0 to {len(self) - 1}, got {indices[wrong][0]}")

    def _kept_values(self, counts: Mapping[str, int]) -> list[Int[np.ndarray, " kept"]]:
        """The values of each factor that a subset keeps."""
        for name, count in counts.items():
            size = self.shape[self.column(name, "dataset.subset")]
            if not isinstance(count, int) or not 1 <= count <= size:
                raise ValueError(f"dataset.subset.{name} must be a whole number, 1 to {size}, got {count}")
        return [evenly_spaced(counts.get(name, size), size) for name, size in self.sizes.items()]


def evenly_spaced(count: int, size: int) -> Int[np.ndarray, " count"]:
    """The values that a subset keeps of a factor with `size` of them."""
    return np.arange(count) * size // count
