import pytest

from disent_runner.train_log import append_row, forget_after, read_train_log


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "train.csv"
    for step in (10, 20, 30):
        append_row(path, {"step": step, "loss": step / 3})
    return path


def test_rows_come_back_exactly(path):
    log = read_train_log(path)
    assert list(log) == ["step", "loss"]
    assert log["step"].tolist() == [10, 20, 30]
    assert log["loss"].tolist() == [10 / 3, 20 / 3, 30 / 3]


def test_rows_after_the_resumed_step_are_forgotten(path):
    before = path.read_text().splitlines()
    forget_after(path, 20)
    assert path.read_text().splitlines() == before[:3]


def test_a_torn_last_line_is_forgotten(path):
    whole = path.read_text()
    path.write_text(whole + "40,1.")
    forget_after(path, 100)
    assert path.read_text() == whole


def test_a_log_that_starts_again_is_empty(path):
    forget_after(path, 0)
    assert read_train_log(path) == {}
