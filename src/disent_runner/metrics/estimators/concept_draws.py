"""Concepts that a model was not taught, and pairs of concepts of which an operator makes them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from disent_runner.datasets.symbols.concepts import ANY, Concepts
from disent_runner.datasets.symbols.recombinations import AND, IGNORE, IN_COMMON, OPERATORS, Operator
from disent_runner.representations.symbols import Symbols

_MOST_ROUNDS = 50
_MOST_TRIES = 100


class Pairs(NamedTuple):
    """`operators` index `OPERATORS`; `targets` are the places of what each makes of its pair, among those asked for."""

    first: Concepts
    second: Concepts
    operators: Int[np.ndarray, " pair"]
    targets: Int[np.ndarray, " pair"]


def draw_untaught(symbols: Symbols, count: int, rng: np.random.Generator) -> Concepts:
    """Different concepts that were not taught: of any order, then of any factors and values; fewer where there are few.

    Those of all factors are combinations of which the model saw no image, `symbols.unseen`.
    """
    sizes = np.array(list(symbols.vocabulary.sizes.values()))
    known = set(map(tuple, symbols.train.tolist()))
    found: list[tuple[int, ...]] = []
    for _ in range(_MOST_ROUNDS):
        order = rng.integers(1, len(sizes) + 1, size=count)
        rank = rng.permuted(np.tile(np.arange(len(sizes)), (count, 1)), axis=1)
        drawn = np.where(rank < order[:, None], rng.integers(sizes, size=rank.shape), ANY)
        is_whole = order == len(sizes)
        if len(symbols.unseen) > 0:
            drawn[is_whole] = symbols.unseen[rng.integers(len(symbols.unseen), size=is_whole.sum())]
        else:
            drawn = drawn[~is_whole]
        for concept in map(tuple, drawn.tolist()):
            if concept not in known:
                known.add(concept)
                found.append(concept)
        if len(found) >= count:
            break
    return np.array(found[:count], np.int64).reshape(-1, len(sizes))


def draw_pairs(symbols: Symbols, targets: Concepts, rng: np.random.Generator) -> Pairs:
    """A pair for each target that some operator can make, by one of those; none of it is in `symbols.unseen`."""
    sizes = np.array(list(symbols.vocabulary.sizes.values()))
    unseen = set(map(tuple, symbols.unseen.tolist()))
    rows: list[tuple[np.ndarray, np.ndarray, int, int]] = []
    for place, target in enumerate(targets):
        for _ in range(_MOST_TRIES):
            operators = _able(target, sizes)
            if not operators:
                break
            operator = operators[rng.integers(len(operators))]
            first, second = _pair(operator, target, sizes, rng)
            if unseen.isdisjoint([tuple(first.tolist()), tuple(second.tolist())]):
                rows.append((first, second, OPERATORS.index(operator), place))
                break
    if not rows:
        nothing = np.empty((0, len(sizes)), np.int64)
        return Pairs(nothing, nothing, np.empty(0, np.int64), np.empty(0, np.int64))
    first, second, operators, places = zip(*rows, strict=True)
    return Pairs(np.stack(first), np.stack(second), np.array(operators), np.array(places))


def _able(target: Int[np.ndarray, " factor"], sizes: Int[np.ndarray, " factor"]) -> list[Operator]:
    """The operators that make it of two other concepts."""
    free = target == ANY
    able = [AND] if (~free).sum() > 1 else []
    return [*able, IN_COMMON, IGNORE] if free.any() else able


def _pair(
    operator: Operator, target: Int[np.ndarray, " factor"], sizes: Int[np.ndarray, " factor"], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    named = np.flatnonzero(target != ANY)
    values = rng.integers(sizes)
    nothing = np.full_like(target, ANY)
    if operator is AND:
        is_first = np.isin(np.arange(len(target)), _some(named, rng, most=len(named) - 1))
        return np.where(is_first, target, ANY), np.where(is_first, ANY, target)
    more = _some(np.flatnonzero(target == ANY), rng)
    first, second = target.copy(), target.copy() if operator is IN_COMMON else nothing
    first[more] = values[more]
    if operator is IGNORE:
        second[more] = values[more]
        return first, second
    others = (values + rng.integers(1, np.maximum(sizes, 2))) % sizes
    also = more[(sizes[more] > 1) & (rng.random(len(more)) < 0.5)]  # named in both, but not alike
    second[also] = others[also]
    return first, second


def _some(places: Int[np.ndarray, " place"], rng: np.random.Generator, most: int | None = None) -> np.ndarray:
    """Any of them, at least one and not more than `most`: first how many, then which."""
    count = rng.integers(1, (len(places) if most is None else most) + 1)
    return rng.choice(places, count, replace=False)
