import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent_runner.runs.train_log import append_row, evenly_spaced, forget_after, read_some_rows, read_train_log


@pytest.fixture
def path(tmp_path):
    for step in (10, 20, 30):
        append_row(tmp_path, {"step": step, "loss": step / 3})
    return tmp_path / "train.csv"


def test_rows_come_back_exactly(path):
    log = read_train_log(path.parent)
    assert list(log) == ["step", "loss"]
    assert log["step"].tolist() == [10, 20, 30]
    assert log["loss"].tolist() == [10 / 3, 20 / 3, 30 / 3]


def test_values_of_a_run_that_an_earlier_version_began_stay_below_their_names(path):
    append_row(path.parent, {"step": 40, "new": 5.0, "loss": 4.0})
    append_row(path.parent, {"step": 50, "new": 6.0})
    log = read_train_log(path.parent)
    assert log["step"].tolist() == [10, 20, 30, 40, 50]
    np.testing.assert_array_equal(log["loss"], [10 / 3, 20 / 3, 10, 4, np.nan])
    np.testing.assert_array_equal(log["new"], [np.nan, np.nan, np.nan, 5, 6])


def test_rows_after_the_resumed_step_are_forgotten(path):
    before = path.read_text().splitlines()
    forget_after(path.parent, 20)
    assert path.read_text().splitlines() == before[:3]


def test_a_torn_last_line_is_forgotten(path):
    whole = path.read_text()
    path.write_text(whole + "40,1.")
    forget_after(path.parent, 100)
    assert path.read_text() == whole


def test_a_log_that_starts_again_is_empty(path):
    forget_after(path.parent, 0)
    assert read_train_log(path.parent) == {}


@given(st.integers(0, 400), st.integers(2, 50))
def test_evenly_spaced_keeps_order_ends_and_count(count, most):
    places = list(evenly_spaced(range(count), most))
    assert len(places) == min(count, most)
    assert places == sorted(set(places))
    if count:
        assert (places[0], places[-1]) == (0, count - 1)
    gaps = {second - first for first, second in itertools.pairwise(places)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("torn", ["40,", "40", "forty,2.0", "", "40,2.0,3.0", "nan,1.0"])
def test_a_torn_row_is_left_out_of_some_rows(path, torn):
    with path.open("a") as file:
        file.write(f"{torn}\n50,0.5\n")
    log = read_some_rows(path.parent, 10)
    assert log is not None
    assert [row[0] for row in log.rows] == [10, 20, 30, 50]
    assert log.logged == 5


@pytest.mark.parametrize("content", [None, "", "step,loss\n", "loss,step\n1,2\n", "\x00\x01", "step,loss\nx,y\n"])
def test_a_file_without_rows_has_none(tmp_path, content):
    if content is not None:
        (tmp_path / "train.csv").write_text(content)
    assert read_some_rows(tmp_path, 10) is None
