"""Concepts of SCAN (Higgins et al. 2018): values of some of the factors, whatever the others may be.

A concept is a row with the value index of each factor, ANY where it says nothing of that factor, so that thousands are
one array. {cyan wall, hat} is the set of its values: the operators are those of sets.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import final

import numpy as np
from jaxtyping import Bool, Int

from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.datasets.splits import by_combination

FACTORS = ("wall", "floor", "object", "identity")
"""Those of SCAN's rooms that concepts are about."""
ANY = -1
MOST_COUNTED = 10_000_000
"""Up to so many concepts, images of each are counted once; of more, images are searched when a concept is asked for."""
_MOST_TRIES = 100

Concepts = Int[np.ndarray, "concept factor"]
Mask = Bool[np.ndarray, " concept"]


def num_concepts(sizes: Sequence[int]) -> tuple[int, ...]:
    """How many concepts name one factor, two factors, …, of factors with so many values."""
    orders = range(1, len(sizes) + 1)
    return tuple(sum(math.prod(chosen) for chosen in combinations(sizes, order)) for order in orders)


def order(concepts: Concepts) -> Int[np.ndarray, " concept"]:
    """How many factors each names."""
    return (concepts != ANY).sum(axis=1)


def is_superordinate(first: Concepts, second: Concepts) -> Mask:
    """Whether the first is a part of the second and not all of it: it is more abstract."""
    return ((first == ANY) | (first == second)).all(axis=1) & (first != second).any(axis=1)


def are_orthogonal(first: Concepts, second: Concepts) -> Mask:
    """Whether no factor is named in both."""
    return ((first == ANY) | (second == ANY)).all(axis=1)


def conjunction(first: Concepts, second: Concepts) -> Concepts:
    """AND: the union. ValueError where both name a factor."""
    if not are_orthogonal(first, second).all():
        raise ValueError("AND needs concepts that name no factor in common")
    return np.where(first == ANY, second, first)


def in_common(first: Concepts, second: Concepts) -> Concepts:
    """IN COMMON: the intersection. ValueError where it is empty."""
    result = np.where(first == second, first, ANY)
    if not order(result).all():
        raise ValueError("IN COMMON needs concepts that share a value")
    return result


def ignore(first: Concepts, second: Concepts) -> Concepts:
    """IGNORE: the first without the second. ValueError where the second is not a part of the first."""
    if not is_superordinate(second, first).all():
        raise ValueError("IGNORE needs a second concept that is a part of the first")
    return np.where(first == second, ANY, first)


@final
@dataclass(frozen=True, eq=False)
class Scenes:
    """What the images of a data set show of the concepts' factors, and which of their combinations training never sees.

    Combinations of values are numbered, the last factor fastest.
    """

    sizes: Mapping[str, int]
    combinations: Int[np.ndarray, " image"]
    """the one that each image shows"""
    held_out: Bool[np.ndarray, " combination"]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.sizes.values())

    @property
    def held_out_concepts(self) -> Concepts:
        """Those that are a combination held out."""
        return np.stack(np.unravel_index(np.flatnonzero(self.held_out), self.shape), axis=1)

    @property
    def is_counted(self) -> bool:
        """Whether there are few enough concepts to count the images of every one."""
        return math.prod(size + 1 for size in self.shape) <= MOST_COUNTED

    @cached_property
    def num_examples(self) -> Int[np.ndarray, "*sizes_plus_1"]:
        """Number of images that training may see of each concept, `num_examples[tuple(concepts.T)]`: ANY counts all.

        Only where `is_counted`.
        """
        assert self.is_counted
        examples = np.where(self.held_out, 0, np.bincount(self.combinations, minlength=len(self.held_out)))
        examples = examples.reshape(self.shape)
        for axis in range(examples.ndim):
            examples = np.concatenate([examples, examples.sum(axis=axis, keepdims=True)], axis=axis)
        return examples

    def are_shown(self, concepts: Concepts) -> Mask:
        """Whether training may see an image of each."""
        return self.num_examples[tuple(concepts.T)] > 0

    @cached_property
    def _images(self) -> tuple[Int[np.ndarray, " image"], Int[np.ndarray, " combination"]]:
        """The images sorted by their combination, and where in those each combination begins."""
        images = np.argsort(self.combinations, kind="stable")
        return images, np.searchsorted(self.combinations[images], np.arange(len(self.held_out)))

    def draw_images(self, concepts: Concepts, *, count: int, seed: int) -> Int[np.ndarray, "concept count"]:
        """Indices of different images that show each concept, none of a combination held out.

        ValueError where a concept has fewer than `count`.
        """
        if not self.is_counted:
            return self._search_images(concepts, count=count, seed=seed)
        images, begins = self._images
        numbers = np.arange(len(self.held_out)).reshape(self.shape)
        examples = self.num_examples[tuple(slice(size) for size in self.shape)]
        rng = np.random.default_rng(seed)
        drawn = np.empty((len(concepts), count), np.int64)
        for row, concept in enumerate(concepts):
            part = tuple(slice(None) if value == ANY else value for value in concept)
            cells, sizes = numbers[part].reshape(-1), examples[part].reshape(-1)
            ends = np.cumsum(sizes)
            self._check_enough(concept, int(ends[-1]), count)
            picks = rng.choice(ends[-1], count, replace=False)
            places = np.searchsorted(ends, picks, side="right")
            drawn[row] = images[begins[cells[places]] + picks - (ends - sizes)[places]]
        return drawn

    def _search_images(self, concepts: Concepts, *, count: int, seed: int) -> Int[np.ndarray, "concept count"]:
        """`draw_images`, drawing the same, by a search among all images for each concept."""
        images, _ = self._images
        images = images[~self.held_out[self.combinations[images]]]
        values = np.stack(np.unravel_index(self.combinations[images], self.shape), axis=1)
        rng = np.random.default_rng(seed)
        drawn = np.empty((len(concepts), count), np.int64)
        for row, concept in enumerate(concepts):
            named = np.flatnonzero(concept != ANY)
            (showing,) = (values[:, named] == concept[named]).all(axis=1).nonzero()
            self._check_enough(concept, len(showing), count)
            drawn[row] = images[showing[rng.choice(len(showing), count, replace=False)]]
        return drawn

    def _check_enough(self, concept: Int[np.ndarray, " factor"], number: int, count: int) -> None:
        if count > number:
            text = self.described(concept)
            raise ValueError(f"{number} images to train on show the concept {text}, {count} are needed")

    def draw_image(self, concepts: Concepts, rng: np.random.Generator) -> Int[np.ndarray, " concept"]:
        """The index of an image that shows each concept, none of a combination held out; all alike are equally likely.

        ValueError where training may see no image of a concept.
        """
        if not (shown := self.are_shown(concepts)).all():
            raise ValueError(f"no image to train on shows the concept {self.described(concepts[~shown][0])}")
        picks = rng.integers(self.num_examples[tuple(concepts.T)])
        cells = concepts.copy()
        for factor, size in enumerate(self.shape):  # what is not named is settled factor by factor
            (rows,) = np.nonzero(cells[:, factor] == ANY)
            choices = np.repeat(cells[rows, None], size, axis=1)
            choices[:, :, factor] = np.arange(size)
            ends = self.num_examples[tuple(np.moveaxis(choices, 2, 0))].cumsum(axis=1)
            value = (picks[rows, None] >= ends).sum(axis=1)
            picks[rows] -= np.where(value > 0, ends[np.arange(len(rows)), value - 1], 0)
            cells[rows, factor] = value
        images, begins = self._images
        return images[begins[np.ravel_multi_index(tuple(cells.T), self.shape)] + picks]

    def described(self, concept: Int[np.ndarray, " factor"]) -> dict[str, int]:
        """The values that a concept names."""
        return {name: value for name, value in zip(self.sizes, concept.tolist(), strict=True) if value != ANY}


def scenes(space: Factors, *, factors: Sequence[str] = FACTORS, count: int, seed: int) -> Scenes:
    """The scenes of a data set with `count` combinations of the factors held out.

    They are those of `split=combinations` with these `factors`, `count` and `seed`. ValueError as there.
    """
    held_out_images = by_combination(space, factors=factors, count=count, seed=seed)
    sizes, numbers = _combinations(space, factors)
    held_out = np.zeros(math.prod(sizes.values()), bool)
    held_out[numbers[held_out_images]] = True
    return Scenes(sizes, numbers, held_out)


def scenes_shown(space: Factors, factors: Sequence[str] = FACTORS) -> Scenes:
    """The scenes of images of which training sees every one: combinations that none of them shows are held out.

    ValueError for an unknown factor or a missing label.
    """
    sizes, numbers = _combinations(space, factors)
    return Scenes(sizes, numbers, np.bincount(numbers, minlength=math.prod(sizes.values())) == 0)


def _combinations(space: Factors, factors: Sequence[str]) -> tuple[dict[str, int], Int[np.ndarray, " image"]]:
    """The factors' sizes, and which combination of their values each image shows."""
    columns = [space.column(name, "model.factors") for name in factors]
    sizes = {name: space.sizes[name] for name in factors}
    values = space.factors(np.arange(len(space)))[:, columns]
    if (num_unknown := (values == UNKNOWN).any(axis=1).sum()) > 0:
        raise ValueError(f"{num_unknown} images have no label of {' and '.join(factors)}; no concept is learnt of them")
    return sizes, np.asarray(np.ravel_multi_index(tuple(values.T), tuple(sizes.values())), np.int64)


def all_concepts(scenes: Scenes, *, num_images: int = 1) -> Concepts:
    """Every concept of which training may see so many images; what names nothing is none."""
    rows = np.argwhere(scenes.num_examples >= num_images)
    concepts = np.where(rows == np.array(scenes.shape), ANY, rows)
    return concepts[order(concepts) > 0]


def draw_concepts(scenes: Scenes, *, count: int, seed: int, num_images: int = 1) -> Concepts:
    """Different concepts of which training may see `num_images`: of any order equally often, then of any factors, any
    values.

    ValueError where there are fewer than `count`.
    """
    if not scenes.is_counted:
        return _drawn_one_by_one(scenes, count=count, seed=seed, num_images=num_images)
    concepts = all_concepts(scenes, num_images=num_images)
    if not 0 < count <= len(concepts):
        of_images = f" with {num_images} images to train on" if num_images > 1 else ""
        raise ValueError(f"the number of concepts{of_images} must be 1 to {len(concepts)}, got {count}")
    named = concepts != ANY
    subsets, subset, num_in_subset = np.unique(named, axis=0, return_inverse=True, return_counts=True)
    orders, num_of_order = np.unique(subsets.sum(axis=1), return_counts=True)
    weights = 1 / (num_of_order[np.searchsorted(orders, subsets.sum(axis=1))] * num_in_subset)
    probabilities = weights[subset.reshape(-1)]  # but for a factor
    rng = np.random.default_rng(seed)
    return concepts[rng.choice(len(concepts), count, replace=False, p=probabilities / probabilities.sum())]


def _drawn_one_by_one(scenes: Scenes, *, count: int, seed: int, num_images: int) -> Concepts:
    """`draw_concepts` where there are too many to count the images of each.

    Likewise distributed, but that orders are rarer of which few choices of factors have a concept with enough images.
    """
    combinations = scenes.combinations[~scenes.held_out[scenes.combinations]]
    values = np.unravel_index(combinations, scenes.shape)
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, ...], None] = {}
    for _ in range(_MOST_TRIES * count):
        order = rng.integers(1, len(scenes.shape) + 1)
        named = np.sort(rng.choice(len(scenes.shape), order, replace=False))
        sizes = [scenes.shape[factor] for factor in named]
        shown, counts = np.unique(np.ravel_multi_index([values[factor] for factor in named], sizes), return_counts=True)
        if len(shown := shown[counts >= num_images]) > 0:
            concept = np.full(len(scenes.shape), ANY)
            concept[named] = np.unravel_index(rng.choice(shown), sizes)
            found[tuple(concept.tolist())] = None
        if len(found) == count:
            return np.array(list(found), np.int64)
    of_images = f" with {num_images} images to train on" if num_images > 1 else ""
    raise ValueError(f"{_MOST_TRIES * count} draws found {len(found)} concepts{of_images}, {count} are needed")
