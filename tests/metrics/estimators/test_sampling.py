import numpy as np
import pytest

from disent_runner.metrics.estimators import sampling
from disent_runner.metrics.estimators.sampling import (
    chunk_sizes,
    draw_rows,
    draw_rows_with_value,
    draw_split,
    rows_by_value,
)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_rows_are_grouped_by_value(dtype):
    factors = np.random.default_rng(0).integers(0, [3, 200], size=(500, 2)).astype(dtype)
    groups = rows_by_value(factors)
    for factor in range(2):
        for value in range(200):
            expected = np.flatnonzero(factors[:, factor] == value)
            np.testing.assert_array_equal(groups.rows(factor, value), expected)


def test_values_beyond_16_bits_are_grouped_too():
    factors = np.array([[70_000], [4_464], [70_000]])  # 4,464 = 70,000 mod 2**16
    np.testing.assert_array_equal(rows_by_value(factors).rows(0, 70_000), [0, 2])


def test_drawn_rows_have_the_value_and_are_uniform_among_those_that_do():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [2, 5], size=(50, 2))
    factor = rng.integers(0, 2, size=(300, 100))
    value = factors[rng.integers(0, 50, size=factor.shape), factor]
    rows = draw_rows_with_value(rows_by_value(factors), factor=factor, value=value, rng=rng)
    np.testing.assert_array_equal(factors[rows, factor], value)
    chosen = rows[(factor == 1) & (value == 3)]
    candidates = np.flatnonzero(factors[:, 1] == 3)
    counts = np.bincount(chosen, minlength=50)[candidates]
    mean = len(chosen) / len(candidates)
    assert counts.sum() == len(chosen) > 1_000
    assert ((counts - mean) ** 2 / mean).sum() < 3 * len(candidates)  # chi-square


def test_rows_are_distinct_and_all_of_them_where_there_are_few():
    rows = draw_rows(1_000, 300, np.random.default_rng(0))
    assert len(np.unique(rows)) == 300
    assert rows.max() < 1_000
    np.testing.assert_array_equal(draw_rows(5, 300, np.random.default_rng(0)), range(5))


@pytest.mark.parametrize(
    ("num_rows", "wanted", "given"),
    [
        (100, (6, 4), (6, 4)),
        (10, (6, 4), (6, 4)),
        (9, (20, 10), (6, 3)),
        (8, (20, 10), (5, 3)),
        (2, (1, 1_000), (1, 1)),
        (2, (1_000, 1), (1, 1)),
        (30, (1, 1_000), (1, 29)),
        (30, (1_000, 1), (29, 1)),
        (300, (10_000, 5_000), (200, 100)),
        (300, (20, 5_000), (20, 280)),
        (300, (200, 5_000), (200, 100)),
        (300, (299, 5_000), (299, 1)),
        (300, (300, 5_000), (200, 100)),
        (300, (10_000, 20), (280, 20)),
        (300, (60, 40), (60, 40)),
        (10_000, (7_000, 5_000), (7_000, 3_000)),
        (105, (100, 50), (100, 5)),
        (105, (100, 100), (100, 5)),
        (104, (100, 50), (69, 35)),
    ],
)
def test_a_split_has_distinct_rows_and_the_train_part_that_was_asked_for_where_it_fits(num_rows, wanted, given):
    train, test = draw_split(num_rows, num_train=wanted[0], num_test=wanted[1], rng=np.random.default_rng(0))
    assert (len(train), len(test)) == given
    assert len(set(train) | set(test)) == sum(given)
    assert set(train) | set(test) <= set(range(num_rows))


def test_chunks_bound_the_values_held_at_a_time(monkeypatch):
    monkeypatch.setattr(sampling, "VALUES_PER_CHUNK", 100)
    assert list(chunk_sizes(10, 30)) == [3, 3, 3, 1]
    assert list(chunk_sizes(2, 1_000)) == [1, 1]
