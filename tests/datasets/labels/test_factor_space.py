import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.datasets.labels.factor_space import FactorSpace

SIZES = {"shape": 2, "hue": 3, "x": 4}
GRID = np.array(list(itertools.product(range(2), range(3), range(4))))  # last factor fastest


@st.composite
def grids(draw: st.DrawFn) -> tuple[dict[str, int], list[int] | None]:
    """Sizes of up to four factors, and the rows of an incomplete grid or None."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    rows = draw(st.none() | st.sets(st.integers(0, math.prod(sizes) - 1), min_size=1))
    return {f"f{number}": size for number, size in enumerate(sizes)}, None if rows is None else sorted(rows)


def make_space(grid: tuple[dict[str, int], list[int] | None]) -> FactorSpace:
    sizes, rows = grid
    return FactorSpace(sizes, None if rows is None else np.array(rows))


def test_full_grid_is_the_product_in_order() -> None:
    space = FactorSpace(SIZES)
    assert (len(space), space.names, space.shape) == (24, ("shape", "hue", "x"), (2, 3, 4))
    np.testing.assert_array_equal(space.factors(np.arange(24)), GRID)
    np.testing.assert_array_equal(space.indices(GRID[::-1]), np.arange(24)[::-1])


def test_incomplete_grid_has_only_its_rows() -> None:
    rows = np.array([1, 5, 6, 23])
    space = FactorSpace(SIZES, rows)
    np.testing.assert_array_equal(space.factors(np.array([3, 0, 2])), GRID[[23, 1, 6]])
    np.testing.assert_array_equal(space.indices(GRID[[6, 6, 1]]), [2, 2, 0])


@settings(deadline=None)
@given(grids())
def test_index_to_factors_and_back(grid: tuple[dict[str, int], list[int] | None]) -> None:
    space = make_space(grid)
    indices = np.arange(len(space))
    factors = space.factors(indices)
    np.testing.assert_array_equal(space.indices(factors), indices)
    assert len(np.unique(factors, axis=0)) == len(space)


@settings(deadline=None)
@given(grids(), st.data())
def test_subset_keeps_the_factors_of_its_parents(
    grid: tuple[dict[str, int], list[int] | None], data: st.DataObject
) -> None:
    space = make_space(grid)
    counts = {name: data.draw(st.integers(1, size)) for name, size in space.sizes.items()}
    kept = [np.arange(counts[name]) * size // counts[name] for name, size in space.sizes.items()]
    everything = space.factors(np.arange(len(space)))
    expected = np.flatnonzero(
        np.all([np.isin(column, values) for column, values in zip(everything.T, kept, strict=True)], axis=0)
    )
    if len(expected) == 0:
        with pytest.raises(ValueError, match="leaves no image"):
            space.subset(counts)
        return
    child, parents = space.subset(counts)
    np.testing.assert_array_equal(parents, expected)
    values = child.factors(np.arange(len(child)))
    for column, (kept_values, parent_values) in enumerate(zip(kept, everything[parents].T, strict=True)):
        np.testing.assert_array_equal(kept_values[values[:, column]], parent_values)


def test_subset_of_40_orientations_to_10_takes_every_fourth() -> None:
    space, parents = FactorSpace({"shape": 3, "orientation": 40}).subset({"orientation": 10})
    assert dict(space.sizes) == {"shape": 3, "orientation": 10}
    np.testing.assert_array_equal(parents, [40 * shape + 4 * step for shape in range(3) for step in range(10)])


def test_subset_of_nothing_is_everything() -> None:
    space, parents = FactorSpace(SIZES).subset({})
    assert space.shape == (2, 3, 4)
    np.testing.assert_array_equal(parents, np.arange(24))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"colour": 1}, "names 'colour'; the factors are shape, hue, x"),
        ({"x": 0}, "dataset.subset.x must be a whole number, 1 to 4, got 0"),
        ({"x": 5}, "dataset.subset.x must be a whole number, 1 to 4, got 5"),
    ],
)
def test_impossible_subsets(counts: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FactorSpace(SIZES).subset(counts)


@pytest.mark.parametrize("index", [-1, 24])
def test_index_out_of_range(index: int) -> None:
    with pytest.raises(ValueError, match=f"image index must be 0 to 23, got {index}"):
        FactorSpace(SIZES).factors(np.array([0, index]))


def test_factor_values_out_of_range_or_without_an_image() -> None:
    with pytest.raises(ValueError, match="hue must be 0 to 2, got 3 in row 1"):
        FactorSpace(SIZES).indices(np.array([[0, 0, 0], [0, 3, 0]]))
    with pytest.raises(ValueError, match="x must be 0 to 3, got -1 in row 0"):
        FactorSpace(SIZES).indices(np.array([[0, 0, -1]]))
    with pytest.raises(ValueError, match=r"no image shows the combination {'shape': 1, 'hue': 2, 'x': 3}"):
        FactorSpace(SIZES, np.array([0, 5])).indices(np.array([[0, 0, 0], [1, 2, 3]]))


@pytest.mark.parametrize("rows", [[2, 1], [1, 1], [-1, 3], [0, 24], []])
def test_grid_rows_must_be_rows_of_the_grid(rows: list[int]) -> None:
    with pytest.raises(ValueError, match="grid_rows must be increasing, unique and within 0 to 23"):
        FactorSpace(SIZES, np.array(rows, np.int64))


def test_a_factor_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        FactorSpace({"shape": 0})
