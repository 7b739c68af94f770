import numpy as np
import pytest

from disent_runner.datasets.labels.any_labels import value_indices


@pytest.mark.parametrize(
    ("column", "expected", "size"),
    [
        ([3, 3, 7, 9], [0, 0, 1, 2], 3),
        ([-30, 0, 30, -1], [0, 2, 3, 1], 4),
        ([-1, 0, 2, 2], [-1, 0, 1, 1], 2),
        ([0.5, np.nan, 0.25, np.inf], [1, -1, 0, -1], 2),
        ([True, False, True, True], [1, 0, 1, 1], 2),
        (["cat", "", "ant", "cat"], [1, -1, 0, 1], 2),
        (np.array([b"cat", b"", b"ant", b"cat"]), [1, -1, 0, 1], 2),
        (np.array([0, 255, 7, 7], np.uint8), [0, 2, 1, 1], 3),
        ([-1, -1, -1, -1], [-1, -1, -1, -1], 1),
    ],
)
def test_labels_become_ranks_and_missing_ones_unknown(column, expected, size) -> None:
    labels = value_indices([np.asarray(column)], num_images=4)
    assert labels.indices[:, 0].tolist() == expected
    assert (labels.sizes, labels.are_binned) == ((size,), (False,))


def test_only_many_real_numbers_are_binned() -> None:
    angles = np.linspace(0, 1, 1000)
    few, whole = np.round(angles, 2), np.arange(1000.0)
    labels = value_indices([angles, few, whole], num_images=1000, num_bins=4)
    assert (labels.sizes, labels.are_binned) == ((4, 101, 1000), (True, False, False))
    np.testing.assert_array_equal(labels.indices[:, 0], np.minimum(angles * 4, 3).astype(int))


def test_no_factors() -> None:
    labels = value_indices([], num_images=5)
    assert (labels.indices.shape, labels.sizes, labels.are_binned) == ((5, 0), (), ())
