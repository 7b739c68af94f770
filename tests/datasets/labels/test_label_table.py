import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.datasets.labels.label_table import LabelTable

distinct_rows = st.lists(st.integers(1, 5), min_size=1, max_size=4).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes),
        st.lists(st.tuples(*(st.integers(0, size - 1) for size in sizes)), min_size=1, max_size=30, unique=True),
    )
)
"""Sizes of up to four factors, and different rows of known labels in any order."""

LABELS = np.array([[0, 1], [2, 0], [0, 1], [-1, 0], [3, -1], [1, 0]])


@pytest.fixture
def table() -> LabelTable:
    return LabelTable({"digit": 4, "side": 2}, LABELS)


def test_factors_are_the_labels(table: LabelTable) -> None:
    assert (len(table), table.names, table.shape) == (6, ("digit", "side"), (4, 2))
    np.testing.assert_array_equal(table.factors(np.array([4, 0, 0])), LABELS[[4, 0, 0]])
    assert table.factors(np.array([0])).dtype == np.int64


def test_indices_of_combinations_that_one_image_shows(table: LabelTable) -> None:
    np.testing.assert_array_equal(table.indices(np.array([[1, 0], [2, 0]])), [5, 1])
    with pytest.raises(ValueError, match=r"2 images show the combination \{'digit': 0, 'side': 1\}, expected one"):
        table.indices(np.array([[2, 0], [0, 1]]))
    with pytest.raises(ValueError, match="0 images show"):
        table.indices(np.array([[3, 1]]))
    with pytest.raises(ValueError, match="digit must be 0 to 3, got 4 in row 0"):
        table.indices(np.array([[4, 0]]))


@settings(deadline=None)
@given(distinct_rows)
def test_index_to_factors_and_back(sizes_and_rows: tuple[list[int], list[tuple[int, ...]]]) -> None:
    sizes, rows = sizes_and_rows
    table = LabelTable({f"f{number}": size for number, size in enumerate(sizes)}, np.array(rows))
    indices = np.arange(len(rows))
    factors = table.factors(indices)
    np.testing.assert_array_equal(factors, rows)
    np.testing.assert_array_equal(table.indices(factors), indices)


def test_take(table: LabelTable) -> None:
    np.testing.assert_array_equal(table.take(np.array([1, 4])).labels, LABELS[[1, 4]])


def test_subset_keeps_evenly_spaced_values_and_drops_unknown_ones(table: LabelTable) -> None:
    space, indices = table.subset({"digit": 2})  # values 0 and 2
    np.testing.assert_array_equal(indices, [0, 1, 2])
    assert dict(space.sizes) == {"digit": 2, "side": 2}
    np.testing.assert_array_equal(space.labels, [[0, 1], [1, 0], [0, 1]])
    _, indices = table.subset({"side": 2})
    np.testing.assert_array_equal(indices, [0, 1, 2, 3, 5])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"digit": 5}, "dataset.subset.digit must be a whole number, 1 to 4, got 5"),
        ({"letter": 1}, "dataset.subset names 'letter'; the factors are digit, side"),
    ],
)
def test_wrong_subsets(table: LabelTable, counts: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table.subset(counts)


def test_an_empty_subset() -> None:
    with pytest.raises(ValueError, match="leaves no image"):
        LabelTable({"digit": 3}, np.array([[1], [2]])).subset({"digit": 1})


def test_labels_are_checked() -> None:
    with pytest.raises(ValueError, match=r"labels must be \(image, 2\), got shape \(3, 1\)"):
        LabelTable({"a": 2, "b": 2}, np.zeros((3, 1), int))
    with pytest.raises(ValueError, match=r"b must be 0 to 1 \(-1: unknown\), got 2"):
        LabelTable({"a": 2, "b": 2}, np.array([[0, 1], [0, 2]]))


def test_images_without_labels() -> None:
    table = LabelTable({}, np.zeros((3, 0), int))
    assert table.factors(np.arange(3)).shape == (3, 0)
