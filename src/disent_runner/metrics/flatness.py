"""Flatness: how straight the codes of factor traversals are (`metric_flatness` of Michlo's disent, 2022)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Integer

from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.sampling import VALUES_PER_CHUNK, draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)

MISSING = -1
"""Row of an image that a traversal lacks."""
FEWEST_VALUES = 3  # two points always lie on a line


@returns(
    Number("flatness", "higher", per_factor=True),
    Number("flatness_l1", "higher"),
    Number("flatness_l2", "higher"),
    Number("flatness_coverage"),
)
def flatness(rep: Representation, *, rng: np.random.Generator, num_repeats: Count = 1024) -> dict[str, float]:
    """Width over length of traversals in [0, 1], mean over factors: `flatness`, `flatness_l1` and `flatness_l2`.

    A traversal is images that differ in one factor only, by value; up to `num_repeats` a factor, see `draw_traversals`.
    `flatness` (and `flatness_factor_<k>`) divides Euclidean width by city block length: 1 if each factor moves codes
    straight along one axis; `_l1` and `_l2` measure both alike and ask for less. A factor that moves no code has 0.
    `flatness_coverage` is the share of their factor's values that the traversals have: 1 on a complete grid.

    Raises:
        NotApplicable: no factor with a traversal.
        ValueError: `num_repeats` below 1.
    """
    rep = require_labels("flatness", rep)
    scores: dict[int, dict[str, float]] = {}
    coverage = []
    for factor, table in draw_traversals("flatness", rep.factors, num_repeats=num_repeats, rng=rng).items():
        scores[factor] = flatness_from_traversals([rep.codes[rows] for rows in rows_by_length(table)])
        coverage.append((table != MISSING).mean())
    means = {
        key: _mean([score[key] for score in scores.values()]) for key in ("flatness", "flatness_l1", "flatness_l2")
    }
    parts = {f"flatness_factor_{factor}": score["flatness"] for factor, score in scores.items()}
    return means | {"flatness_coverage": float(np.mean(coverage))} | parts


def flatness_from_traversals(traversals: Sequence[Float[np.ndarray, "_ _ latent"]]) -> dict[str, float]:
    """`flatness`, `flatness_l1` and `flatness_l2` in [0, 1] of one factor, from codes (traversal, value, latent).

    Codes are in order of value; each array has traversals of one length. A way's length leaves out its longest step,
    where the step from the last value back to the first one is one of them: for a line that is the way back, and a
    cycle has no other end. Codes that never move: 0.

    Raises:
        ValueError: a code is not finite.
    """
    parts = []
    for codes in traversals:
        require_finite("flatness", codes)
        chunks = np.array_split(codes, 1 + codes[:, :, 0].size * codes.shape[1] // VALUES_PER_CHUNK)
        parts += [_extents(chunk.astype(np.float64)) for chunk in chunks]
    width_l1, width_l2, length_l1, length_l2 = np.concatenate(parts, axis=1).mean(axis=1).tolist()
    return {
        "flatness": _ratio(width_l2, length_l1),
        "flatness_l1": _ratio(width_l1, length_l1),
        "flatness_l2": _ratio(width_l2, length_l2),
    }


def draw_traversals(
    metric: str, factors: Integer[np.ndarray, "image factor"], *, num_repeats: int, rng: np.random.Generator
) -> dict[int, Integer[np.ndarray, "traversal value"]]:
    """`traversal_table` by column, for each factor that has a traversal of `FEWEST_VALUES`.

    Raises:
        NotApplicable: no factor varies, or none has a traversal; the message names the metric.
        ValueError: `num_repeats` below 1.
    """
    require_at_least(metric, 1, num_repeats=num_repeats)
    tables = {
        column: traversal_table(factors, column, minimum=FEWEST_VALUES, num_traversals=num_repeats, rng=rng)
        for column in require_varying_factors(metric, factors).tolist()
    }
    chosen = {column: table for column, table in tables.items() if len(table)}
    if not chosen:
        raise NotApplicable(
            f"{metric} needs {FEWEST_VALUES} images that differ in one factor only, got none such among"
            f" {len(factors)} images; raise evaluation.num_images"
        )
    return chosen


def traversal_table(
    factors: Integer[np.ndarray, "image factor"],
    column: int,
    *,
    minimum: int,
    num_traversals: int,
    rng: np.random.Generator,
) -> Integer[np.ndarray, "traversal value"]:
    """Rows of images that differ in one column's factor only, by those of its values that occur; `MISSING` if no image.

    Traversals have at least `minimum` values, or all if the factor has fewer; up to `num_traversals` are drawn, without
    replacement. Where several images have the same values of all factors, each stands in one traversal at most: there
    are as many with the same values of the other factors as all of their values have images.
    """
    occurs = np.bincount(factors[:, column]) > 0
    place = (np.cumsum(occurs) - 1)[factors[:, column]]
    narrow = np.uint16 if factors.max() < 2**16 else np.int64  # 16 bits are radix-sorted
    others = [other.astype(narrow) for other in np.delete(factors, column, axis=1).T]
    order = np.lexsort([place.astype(narrow), *others])
    place = place[order]

    is_new = np.logical_or.reduce([_changes(other[order]) for other in others] or [np.arange(len(order)) == 0])
    first = np.flatnonzero(is_new | _changes(place))
    repeats, place = np.diff(first, append=len(order)), place[first]
    line = np.flatnonzero(is_new[first])
    length = np.diff(line, append=len(first))
    copies = np.where(length >= min(minimum, occurs.sum()), np.minimum.reduceat(repeats, line), 0)

    start = np.cumsum(copies) - copies
    chosen = draw_rows(int(copies.sum()), num_traversals, rng)
    of_line = np.searchsorted(start, chosen, side="right") - 1
    row = np.repeat(np.arange(len(chosen)), length[of_line])
    step = np.arange(len(row)) - np.repeat(np.cumsum(length[of_line]) - length[of_line], length[of_line])
    cell = line[of_line][row] + step
    needed = np.unique(cell)
    shift = np.zeros(len(first), dtype=np.int64)
    shift[needed] = rng.random(len(needed)) * repeats[needed]
    table = np.full((len(chosen), occurs.sum()), MISSING)
    table[row, place[cell]] = order[first[cell] + (shift[cell] + (chosen - start[of_line])[row]) % repeats[cell]]
    return table


def rows_by_length(table: Integer[np.ndarray, "traversal value"]) -> list[Integer[np.ndarray, "_ _"]]:
    """Rows of the traversals of each number of values, in order of value: nothing is missing in these arrays."""
    length = (table != MISSING).sum(axis=1)
    groups = [table[length == count] for count in np.unique(length)]
    return [group[group != MISSING].reshape(len(group), -1) for group in groups]


def _changes(values: Integer[np.ndarray, " row"]) -> Bool[np.ndarray, " row"]:
    """Whether each value, of which the first one does, differs from the one before."""
    return np.append(True, values[1:] != values[:-1])


def _extents(codes: Float[np.ndarray, "traversal value latent"]) -> Float[np.ndarray, "4 traversal"]:
    """Width and width, length and length, by city block and by Euclidean distance."""
    city_block = np.zeros((*codes.shape[:2], codes.shape[1]))
    squared = np.zeros_like(city_block)
    for code in np.moveaxis(codes, 2, 0):
        difference = np.abs(code[:, :, None] - code[:, None, :])
        city_block += difference
        squared += difference**2
    steps = np.roll(codes, -1, axis=1) - codes
    lengths = [
        ways.sum(axis=1) - ways.max(axis=1) for ways in (np.abs(steps).sum(axis=2), np.linalg.norm(steps, axis=2))
    ]
    return np.stack([city_block.max(axis=(1, 2)), np.sqrt(squared.max(axis=(1, 2))), *lengths])


def _ratio(width: float, length: float) -> float:
    return width / length if length > 0 else 0.0


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
