"""The symbols of SCAN (Higgins et al. 2018): k-hot vectors that say which values a concept names."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Float, Int

from disent_runner.datasets.symbols.concepts import ANY, Concepts


@final
@dataclass(frozen=True)
class Vocabulary:
    """The symbols: one for each value of each factor, in order, then the synonyms, given by what they stand for."""

    sizes: Mapping[str, int]
    synonyms: tuple[int, ...] = ()
    """the symbol that each means the same as"""
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """factor -> what each of its values is called, where they have names"""

    def __len__(self) -> int:
        return self.num_values + len(self.synonyms)

    @property
    def num_values(self) -> int:
        return sum(self.sizes.values())

    @property
    def values(self) -> Int[np.ndarray, " symbol"]:
        """The symbol without synonyms that each symbol means."""
        return np.array([*range(self.num_values), *self.synonyms])

    @property
    def names(self) -> tuple[str, ...]:
        """What each symbol is called: `red wall`, `hat` where no other factor has one, `scale 3` without names."""
        values = attribute_names(self.sizes, self.value_names)
        return (*values, *(f"{values[meant]}, synonym {number}" for number, meant in enumerate(self.synonyms, start=1)))

    @property
    def starts(self) -> Int[np.ndarray, " factor"]:
        """The symbol of each factor's value 0."""
        sizes = np.array(list(self.sizes.values()))
        return np.cumsum(sizes) - sizes

    def encode(self, concepts: Concepts, rng: np.random.Generator | None = None) -> Float[np.ndarray, "concept symbol"]:
        """k-hot vectors: a 1 for each value that a concept names. With `rng`, any of the value's symbols is used."""
        row, factor = np.nonzero(concepts != ANY)
        symbols = self.starts[factor] + concepts[row, factor]
        if rng is not None:
            by_meaning = np.argsort(self.values, kind="stable")
            num_symbols = np.bincount(self.values)
            begins = np.cumsum(num_symbols) - num_symbols
            symbols = by_meaning[begins[symbols] + rng.integers(num_symbols[symbols])]
        encoded = np.zeros((len(concepts), len(self)), np.float32)
        encoded[row, symbols] = 1
        return encoded

    def without_synonyms(self, scores: Float[np.ndarray, "concept symbol"]) -> Float[np.ndarray, "concept value"]:
        """The highest score of each value's symbols: a synonym counts as what it means."""
        highest = scores[:, : self.num_values].copy()
        for symbol, meant in enumerate(self.synonyms, start=self.num_values):
            highest[:, meant] = np.maximum(highest[:, meant], scores[:, symbol])
        return highest

    def decode(self, scores: Float[np.ndarray, "concept symbol"], threshold: float = 0.5) -> Concepts:
        """The concepts: of each factor the value with the highest score, ANY where none is above the threshold."""
        blocks = np.split(self.without_synonyms(scores), self.starts[1:], axis=1)
        columns = [np.where(block.max(axis=1) > threshold, block.argmax(axis=1), ANY) for block in blocks]
        return np.stack(columns, axis=1)


def attribute_names(sizes: Mapping[str, int], value_names: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What each value of each factor is called, in order. ValueError where a factor has another number of names."""
    times = Counter(name for factor in sizes for name in value_names.get(factor, ()))
    names: list[str] = []
    for factor, size in sizes.items():
        given = value_names.get(factor)
        if given is None:
            names += [f"{factor} {value}" for value in range(size)]
        elif len(given) == size:
            names += [name if times[name] == 1 else f"{name} {factor}" for name in given]
        else:
            raise ValueError(f"{factor} has {size} values and {len(given)} names: {', '.join(given)}")
    return names


def draw_vocabulary(
    sizes: Mapping[str, int],
    *,
    synonyms: int = 0,
    seed: int = 0,
    value_names: Mapping[str, tuple[str, ...]] | None = None,
) -> Vocabulary:
    """The vocabulary with synonyms of so many different values. ValueError for more of them than values."""
    num_values = sum(sizes.values())
    if not 0 <= synonyms <= num_values:
        raise ValueError(f"the number of synonyms must be 0 to {num_values}, got {synonyms}")
    chosen = np.random.default_rng(seed).choice(num_values, synonyms, replace=False)
    names = {factor: names for factor, names in (value_names or {}).items() if factor in sizes}
    return Vocabulary(dict(sizes), tuple(chosen.tolist()), names)
