"""Which of two images is nearer to a third in a factor: what an oracle who sees the factors answers."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int, Integer


def nearer(
    anchor: Integer[np.ndarray, "triplet factor"],
    first: Integer[np.ndarray, "triplet factor"],
    second: Integer[np.ndarray, "triplet factor"],
    periods: Integer[np.ndarray, " factor"],
) -> Int[np.ndarray, "triplet factor"]:
    """1 where `first` is nearer to `anchor` in the factor, -1 where `second` is, 0 where both are equally near.

    Distances are of value indices; on a circle where the period is not 0.
    """
    return np.sign(distance(anchor, second, periods) - distance(anchor, first, periods))


def distance(
    first: Integer[np.ndarray, "pair factor"],
    second: Integer[np.ndarray, "pair factor"],
    periods: Integer[np.ndarray, " factor"],
) -> Int[np.ndarray, "pair factor"]:
    """Steps of value from one image to the other, the shorter way round where the factor has a period."""
    steps = np.abs(first.astype(np.int64) - second)
    within = np.where(periods > 0, steps % np.maximum(periods, 1), steps)
    return np.where(periods > 0, np.minimum(within, periods - within), within)


def periods_of(names: Sequence[str], periods: Mapping[str, int]) -> Int[np.ndarray, " factor"]:
    """The period of each factor, 0 of one that has none."""
    return np.array([periods.get(name, 0) for name in names], np.int64)
