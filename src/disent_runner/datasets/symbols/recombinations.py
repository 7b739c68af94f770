"""What SCAN's operators learn from (Higgins et al. 2018): two concepts and their AND, IN COMMON or IGNORE."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Int

from disent_runner.datasets.symbols.concepts import ANY, Concepts, Scenes, conjunction, ignore, in_common


@dataclass(frozen=True, eq=False)
class Recombinations:
    """Pairs of concepts and what an operator makes of them."""

    first: Concepts
    second: Concepts
    result: Concepts


NEITHER, FIRST, SECOND, SHARED, DIFFERENT = range(5)
"""Which of two concepts name a factor, and whether its value is the same in both."""


@dataclass(frozen=True)
class Operator:
    """A way to recombine two concepts, and what each factor may be in a pair that it takes."""

    name: str
    combine: Callable[[Concepts, Concepts], Concepts]
    allowed: tuple[int, ...]
    required: tuple[int, ...]


AND = Operator("AND", conjunction, allowed=(NEITHER, FIRST, SECOND), required=(FIRST, SECOND))
IN_COMMON = Operator("IN COMMON", in_common, allowed=(NEITHER, FIRST, SECOND, SHARED, DIFFERENT), required=(SHARED,))
IGNORE = Operator("IGNORE", ignore, allowed=(NEITHER, FIRST, SHARED), required=(FIRST, SHARED))
OPERATORS = (AND, IN_COMMON, IGNORE)
"""In the order of the one-hot vector that tells them."""


def draw_recombinations(scenes: Scenes, operator: Operator, *, count: int, seed: int) -> Recombinations:
    """Pairs that the operator takes; training may see images of both and of the result.

    What each factor is in a pair is uniform over all that the operator takes, and so are the values; the two of
    IN COMMON are not the same. ValueError where there is but one factor.
    """
    roles = _roles(operator, scenes.shape)
    if len(roles) == 0:
        raise ValueError(f"{operator.name} needs concepts of at least two factors, got {', '.join(scenes.sizes)}")
    rng = np.random.default_rng(seed)
    first, second, result = np.empty((3, count, len(scenes.shape)), np.int64)
    missing = np.arange(count)
    while len(missing) > 0:
        first[missing], second[missing] = _draw_pairs(roles, scenes.shape, len(missing), rng)
        result[missing] = operator.combine(first[missing], second[missing])
        shown = [scenes.are_shown(concepts[missing]) for concepts in (first, second, result)]
        missing = missing[~np.all(shown, axis=0)]
    return Recombinations(first, second, result)


def _roles(operator: Operator, sizes: tuple[int, ...]) -> Int[np.ndarray, "way factor"]:
    """All ways in which a pair that the operator takes may name the factors, but for those of two equal concepts."""
    ways = np.array(list(product(operator.allowed, repeat=len(sizes))))
    has_all = [(ways == role).any(axis=1) for role in operator.required]
    has_other_values = (ways != DIFFERENT) | (np.array(sizes) > 1)
    is_one_twice = np.isin(ways, (NEITHER, SHARED)).all(axis=1)
    return ways[np.all(has_all, axis=0) & has_other_values.all(axis=1) & ~is_one_twice]


def _draw_pairs(
    roles: Int[np.ndarray, "way factor"], shape: tuple[int, ...], count: int, rng: np.random.Generator
) -> tuple[Concepts, Concepts]:
    role, sizes = roles[rng.integers(len(roles), size=count)], np.array(shape)
    values = rng.integers(sizes, size=role.shape)
    others = (values + rng.integers(1, np.maximum(sizes, 2), size=role.shape)) % sizes
    first = np.where(np.isin(role, (FIRST, SHARED, DIFFERENT)), values, ANY)
    second = np.where(np.isin(role, (SECOND, SHARED)), values, np.where(role == DIFFERENT, others, ANY))
    return first, second
