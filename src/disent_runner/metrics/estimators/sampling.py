"""Random rows of a representation: any rows, or rows with a given value of one factor."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer

VALUES_PER_CHUNK = 1_000_000  # of codes drawn at a time: 8 MB in double precision


@dataclass(frozen=True)
class RowsByValue:
    """Rows sorted by value, for each factor, with where in that order each value starts and how often it occurs."""

    order: Integer[np.ndarray, "factor image"]
    start: Integer[np.ndarray, "factor value"]
    count: Integer[np.ndarray, "factor value"]

    def rows(self, factor: int, value: int) -> Integer[np.ndarray, " row"]:
        """All rows with one value of the factor in column `factor`."""
        return self.order[factor, self.span(factor, value)]

    def span(self, factor: int, value: int) -> slice:
        """Where in the factor's order the rows with one value stand."""
        first = int(self.start[factor, value])
        return slice(first, first + int(self.count[factor, value]))


def draw_rows(num_rows: int, num_samples: int, rng: np.random.Generator) -> Integer[np.ndarray, " sample"]:
    """Distinct rows at random, or every row in order where there are no more than `num_samples`."""
    if num_samples >= num_rows:
        return np.arange(num_rows)
    return rng.choice(num_rows, size=num_samples, replace=False)


def draw_split(
    num_rows: int, *, num_train: int, num_test: int, rng: np.random.Generator
) -> tuple[Integer[np.ndarray, " train"], Integer[np.ndarray, " test"]]:
    """Distinct rows at random to train and to test on, as many as asked for where there are so many.

    Where there are not, `num_train` stays if there are more rows than that, and the others are to test on. Only where
    `num_train` is the larger part and would leave less than a tenth of `num_test`, a third of the rows is to test on,
    or `num_test` if that is fewer, and the others are to train on. Two rows or more give at least one each.
    """
    wanted = num_train + num_test
    rows = rng.permutation(num_rows) if wanted >= num_rows else rng.choice(num_rows, size=wanted, replace=False)
    if wanted > num_rows and num_rows - num_train < (1 if num_train <= num_test else num_test / 10):
        num_train = num_rows - min(num_test, round(num_rows / 3))
    return rows[:num_train], rows[num_train:]


def rows_by_value(factors: Integer[np.ndarray, "image factor"]) -> RowsByValue:
    """Rows grouped by the value of each factor, so that drawing one of a given value needs no search."""
    num_values = int(factors.max()) + 1
    narrow = np.uint16 if num_values <= 2**16 else np.int64  # 16 bits are radix-sorted
    columns = [np.ascontiguousarray(values, dtype=narrow) for values in factors.T]
    count = np.stack([np.bincount(values, minlength=num_values) for values in columns])
    order = np.stack([np.argsort(values, kind="stable") for values in columns])
    return RowsByValue(order, np.cumsum(count, axis=1) - count, count)


def draw_rows_with_value(
    groups: RowsByValue,
    *,
    factor: Integer[np.ndarray, "*shape"],
    value: Integer[np.ndarray, "*shape"],
    rng: np.random.Generator,
) -> Integer[np.ndarray, "*shape"]:
    """One row for each pair of a factor's column and one of its values, uniform among the rows of that value.

    The draws are independent and leave all other factors distributed as they are in the data; the grid may be
    incomplete, but every value asked for must occur.
    """
    place = np.floor(rng.random(value.shape) * groups.count[factor, value]).astype(np.int64)
    return groups.order[factor, groups.start[factor, value] + place]


def chunk_sizes(num_items: int, values_per_item: int) -> Iterator[int]:
    """Numbers of items, adding up to `num_items`, that hold `VALUES_PER_CHUNK` values or one item, to bound memory."""
    chunk = max(1, VALUES_PER_CHUNK // values_per_item)
    for first in range(0, num_items, chunk):
        yield min(chunk, num_items - first)
