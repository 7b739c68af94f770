import numpy as np
import pytest

from disent_runner.datasets.labels.any_labels import IndexedLabels, value_indices

RNG = np.random.default_rng(0)
REALS = RNG.random(300)


def indexed(column, **named) -> IndexedLabels:
    return value_indices([column], ["x"], num_images=len(column), **named)


@pytest.mark.parametrize(
    ("column", "expected", "size"),
    [
        ([3, 3, 7, 9], [0, 0, 1, 2], 3),
        ([-30, 0, 30, -1], [0, 2, 3, 1], 4),
        ([-1, 0, 2, 2], [-1, 0, 1, 1], 2),
        ([-1, 1, 1, 0], [0, 2, 2, 1], 3),
        ([0.5, np.nan, 0.25, np.inf], [1, -1, 0, -1], 2),
        ([True, False, True, True], [1, 0, 1, 1], 2),
        (["cat", "", "ant", "cat"], [1, -1, 0, 1], 2),
        (["10", "9", "-1", "9.0"], [1, 0, -1, 0], 2),
        (np.array([b"cat", b"", b"ant", b"cat"]), [1, -1, 0, 1], 2),
        (np.array([0, 255, 7, 7], np.uint8), [0, 2, 1, 1], 3),
        ([np.nan, np.nan, np.nan, np.nan], [-1, -1, -1, -1], 1),
        ([7, 7, 7, 7], [0, 0, 0, 0], 1),
    ],
)
def test_labels_become_ranks_and_missing_ones_unknown(column, expected, size) -> None:
    labels = indexed(np.asarray(column))
    assert labels.indices[:, 0].tolist() == expected
    assert (labels.sizes, labels.are_binned) == ((size,), (False,))


@pytest.mark.parametrize("num_images", [30, 100, 256, 257, 1000])
@pytest.mark.parametrize("as_type", [np.float32, np.float64, np.str_, object])
def test_reals_are_binned_however_many_and_of_whatever_type(num_images, as_type) -> None:
    reals = np.random.default_rng(num_images).random(num_images).astype(np.float32).astype(np.float64)
    labels = indexed(reals.astype(np.float32).astype(as_type))
    assert labels.are_binned == (True,)
    edges = np.linspace(reals.min(), reals.max(), 21)
    np.testing.assert_array_equal(labels.indices[:, 0], np.digitize(reals, edges[1:-1]))


@pytest.mark.parametrize(
    ("column", "is_binned"),
    [
        pytest.param(np.arange(1000), True, id="each whole number once"),
        pytest.param(RNG.integers(0, 1000, size=3000), True, id="whole numbers that hardly repeat"),
        pytest.param(np.where(RNG.random(3000) < 0.9, 0, RNG.random(3000)), True, id="reals that are mostly 0"),
        pytest.param(np.where(RNG.random(300) < 0.5, np.nan, RNG.random(300)), True, id="half of them missing"),
        pytest.param(RNG.integers(0, 1000, size=30_000), False, id="whole numbers that repeat"),
        pytest.param(np.repeat(np.arange(40), 10), False, id="ten images each of forty persons"),
        pytest.param(RNG.integers(0, 300, size=9000) / 300, False, id="reals that repeat"),
        pytest.param(RNG.random(20), False, id="as few values as bins"),
        pytest.param(np.array([f"image {k}" for k in range(300)]), False, id="names"),
    ],
)
def test_a_factor_is_continuous_where_its_values_hardly_repeat(column, is_binned) -> None:
    assert indexed(column).are_binned == (is_binned,)


def test_a_grid_has_the_same_bins_in_every_type_and_scale() -> None:
    """Its labels lie on the edges of the bins, where rounding must not count."""
    steps = np.arange(101)
    expected = np.minimum(steps // 5, 19)
    scaled = (steps / 100, (steps / 100).astype(np.float32), steps * 1e-7, (steps * 0.1).astype(str))
    large = (steps + 2**62, steps.astype(np.uint64) + 2**63, (steps - 50) * (2**63 // 51), steps.astype(np.int8))
    for column in (steps, *scaled, *large):
        np.testing.assert_array_equal(indexed(column).indices[:, 0], expected)


def test_values_of_a_grid_are_no_bins_however_few_images_have_each() -> None:
    grid = np.indices((40, 2)).reshape(2, -1).T[RNG.permutation(80)]

    def binned(table):
        labels = value_indices(list(table.T), ["a", "b", "one"][: table.shape[1]], num_images=len(table))
        return labels.are_binned, bool(labels.remarks)

    assert binned(grid) == ((False, False), False)
    assert binned(np.c_[grid, np.ones(80)]) == ((False, False, False), False)
    assert binned(grid[:-1]) == ((True, False), True)
    assert binned(np.where(np.arange(80)[:, None] == 3, np.nan, grid)) == ((True, False), True)
    assert binned(np.c_[np.arange(80), np.ones(80)]) == ((True, False), True)
    assert binned(np.r_[grid[:-1], grid[:1]]) == ((True, False), True)


def test_named_factors_are_what_they_are_named() -> None:
    columns, names = [REALS, np.arange(300) % 5, REALS], ["angle", "shape", "other"]
    labels = value_indices(columns, names, num_images=300, continuous=["shape"], discrete=["angle"])
    assert labels.are_binned == (False, True, True)
    assert labels.sizes == (300, 20, 20)
    assert [remark.split(":")[0] for remark in labels.remarks] == ["other"]
    assert labels.indices[:5, 1].tolist() == [0, 5, 10, 15, 19]
    assert indexed(np.ones(30), continuous=["x"]).are_binned == (False,)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"continuous": ["y"]}, "continuous names 'y'; the factors are x"),
        ({"discrete": "x"}, "discrete must be a list of factors' names, got 'x'"),
        ({"continuous": [0]}, r"continuous must be a list of factors' names, got \[0\]"),
        ({"continuous": ["x"], "discrete": ["x"]}, "x is named both continuous and discrete; choose one"),
        ({"continuous": ["x"]}, "continuous names x, but its label 'red' is no number"),
    ],
)
def test_names_of_nothing_are_refused(named, message) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        indexed(np.array(["1", "red"]), **named)


@pytest.mark.parametrize(
    ("column", "remarks"),
    [
        (np.arange(300) % 3, []),
        (np.arange(3000) % 100, []),
        ([2, -1, 0, -1], ["x: 2 of 4 labels are missing"]),
        (np.ma.array([0, 1, 0, 1], mask=[True, False, False, False]), ["x: 1 of 4 labels are missing"]),
        (
            REALS,
            ["x: continuous, as most values occur fewer than 5 times; 20 bins of equal width "
             "(`discrete` names factors that are not)"],
        ),
        (
            np.arange(400) // 10,
            ["x: discrete, with fewer than 20 images for a value (`continuous` names factors that are not)"],
        ),
        ([-1, 1, 1, -1], ["x: -1 is a value; write NaN where a label is missing"]),
        ([0, 1, 2, 2, -9999, -9999], ["x: -9999 is a value, far from all others; write NaN where a label is missing"]),
        ([0, 1, 2, 2, 999, 999], ["x: 999 is a value, far from all others; write NaN where a label is missing"]),
        ([1, 10, 100, 1000, 1000], []),
        (["0.5", "0.7", "0.1", "?"], ["x: text, for '?'; write NaN where a label is missing"]),
        (["red", "green", "1"], []),
        (
            [f"0,{k}" for k in range(30)],
            ["x: discrete, with fewer than 20 images for a value (`continuous` names factors that are not)"],
        ),
    ],
)  # fmt: skip
def test_what_may_be_doubted_is_said(column, remarks) -> None:
    assert list(indexed(np.ma.asanyarray(column)).remarks) == remarks
    named = indexed(np.ma.asanyarray(column), discrete=["x"]).remarks
    assert list(named) == [remark for remark in remarks if "missing" in remark and "write" not in remark]


def test_no_factors() -> None:
    labels = value_indices([], [], num_images=5)
    assert (labels.indices.shape, labels.sizes, labels.are_binned, labels.remarks) == ((5, 0), (), (), ())
