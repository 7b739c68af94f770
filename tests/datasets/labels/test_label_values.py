"""One rule for every type: the expected values are what the rule says, written by hand."""

import numpy as np
import pandas as pd
import pytest

from disent_runner.datasets.labels.label_values import distinct_values, label_values

GIVEN = [True, True, False, True]
TIMES = np.array(["2001-01-01", "2002-01-01", "NaT", "2001-01-01"], "datetime64[D]")


def categories(*labels):
    return np.array(labels, dtype=object)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(np.array([3, 2, -1, 0]), id="int"),
        pytest.param(np.array([3, 2, -1, 0], np.int8), id="int8"),
        pytest.param(np.array([3.0, 2, -1, 0]), id="float"),
        pytest.param(np.array([3.0, 2, -1, 0], np.float16), id="float16"),
        pytest.param(np.array([3.0, 2, np.nan, 0]), id="nan"),
        pytest.param(np.array([3.0, 2, np.inf, 0]), id="infinite"),
        pytest.param(np.array(["3", "2", "-1", "0"]), id="text"),
        pytest.param(np.array(["3.0", "2", " -1.0", "0 "]), id="text of reals"),
        pytest.param(np.array([b"3", b"2", b"-1", b"0"]), id="bytes"),
        pytest.param(np.array(["3", "2", "nan", "0"]), id="written nan"),
        pytest.param(np.array(["3", "2", "  ", "0"]), id="blank"),
        pytest.param(categories(3, 2, None, 0), id="None"),
        pytest.param(categories(3, 2.0, -1.0, "0"), id="objects"),
        pytest.param(categories(3, 2, pd.NA, 0), id="NA"),
        pytest.param(categories(3, 2, np.ma.masked, 0), id="a masked object"),
        pytest.param(np.ma.array([3, 2, 9, 0], mask=[False, False, True, False]), id="mask"),
        pytest.param(np.ma.array(["3", "2", "9", "0"], mask=[False, False, True, False]), id="mask of text"),
        pytest.param(np.asarray(pd.Series([3, 2, None, 0], dtype="Int64"), dtype=object), id="nullable"),
    ],
)
def test_a_missing_label_is_missing_in_every_type(column):
    labels = label_values("x", column)
    assert labels.are_numbers
    assert labels.is_given.tolist() == GIVEN
    assert labels.values[GIVEN].tolist() == [3, 2, 0]


@pytest.mark.parametrize(
    "column",
    [
        ["cat", "ant", "", "cat"],
        ["cat", " ant", "None", "cat "],
        ["cat", "ant", "<NA>", "cat"],
        ["cat", "1", "nan", "x"],
    ],
)
def test_names_are_text(column):
    labels = label_values("x", np.array(column))
    assert not labels.are_numbers
    assert labels.is_given.tolist() == GIVEN
    assert labels.values[0] == "cat"


@pytest.mark.parametrize("as_type", [np.int64, np.float32, np.str_, np.bytes_, object])
@pytest.mark.parametrize(
    ("column", "is_value"),
    [
        ([-1, 1, 1, -1], True),
        ([-1, 0, 1, 0], True),
        ([-1, 0, 0, 0], True),
        ([-1, -1, -1, -1], True),
        ([-30, -1, 0, 30], True),
        ([-2, -1, 0, 5], True),
        ([-1, 0, 1, 2], False),
        ([-1, 1, 3, 5], False),
        ([-1, 2, 2, 2], False),
    ],
)
def test_minus_one_is_missing_where_it_is_no_neighbour_of_the_values(column, is_value, as_type):
    expected = [is_value or label != -1 for label in column]
    assert label_values("x", np.array(column).astype(as_type)).is_given.tolist() == expected


def test_minus_one_of_reals_is_no_label_where_all_others_are_at_least_0():
    assert label_values("x", np.array([-1, 0.25, 0.5])).is_given.tolist() == [False, True, True]
    assert label_values("x", np.array([-1, -0.25, 0.5])).is_given.all()


def test_times_are_numbers():
    labels = label_values("x", TIMES)
    assert labels.is_given.tolist() == GIVEN
    assert labels.values[1] - labels.values[0] == 365


def test_what_is_no_label_is_refused():
    with pytest.raises(ValueError, match=r"^phase: its labels are complex128, expected real numbers or text$"):
        label_values("phase", np.array([1j]))
    with pytest.raises(ValueError, match=r"^x: its labels are .*, expected real numbers or text$"):
        label_values("x", np.zeros(3, dtype=[("a", int)]))


@pytest.mark.parametrize("as_type", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_values_that_differ_by_rounding_are_one(scale, as_type):
    tenths = np.array([0.1 + 0.2, 0.3, 0.1 * 3, 0.7, 0.1 * 7, 0.0, 0.1 * 3 - 0.3]) * scale
    for offset in (0.0, 2.0 * scale, 1e20):
        values, ranks = distinct_values(np.append((tenths.astype(as_type)).astype(np.float64), offset))
        assert ranks[:7].tolist() == [1, 1, 1, 2, 2, 0, 0]
        np.testing.assert_allclose(values[:3], np.array([0, 0.3, 0.7]) * scale, rtol=1e-6, atol=1e-15 * scale)


def test_whole_numbers_and_dense_reals_are_left_as_they_are():
    whole = np.array([0.0, 1, 2, 1e9])
    assert len(distinct_values(whole)[0]) == 4
    dense = np.append(np.linspace(1, 1.0005, 10_001), 2.0)  # each closer to the next than rounding, but not to the last
    assert len(distinct_values(dense)[0]) == 10_002
    sessions = 1.7e9 + np.concatenate([day * 86_400 + np.linspace(0, 100, 40) for day in range(3)])
    assert len(distinct_values(sessions)[0]) == 120
    reals = np.random.default_rng(0).random(300)
    assert len(distinct_values(np.append(reals, 1e20))[0]) == 301
