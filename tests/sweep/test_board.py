import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from disent_runner.runs.status import write_status
from disent_runner.sweep.board import Board, opening_line, progress_text, summary_line, time_left
from disent_runner.sweep.jobs import Job, Standing


def _standings(*states: tuple[str, dict]) -> dict[Job, Standing]:
    return {
        Job((), f"seed={number}", Path(f"/runs/seed={number}"), "asked"): Standing(state, status)
        for number, (state, status) in enumerate(states)
    }


def _ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_the_time_left_is_that_of_runs_like_those_done():
    """Two runs at once take 100 s each: one is half done, one just begun, two are to come: (50 + 100 + 200) / 2."""
    standings = _standings(
        ("done", {"seconds": 90}),
        ("done", {"seconds": 110}),
        ("running", {"since": _ago(50)}),
        ("running", {"since": _ago(0)}),
        ("waiting", {}),
        ("waiting", {}),
    )
    assert time_left(standings) == pytest.approx(175, abs=1)
    assert summary_line(standings) == "6 runs: 2 done, 2 running, 2 waiting; about 0:02:55 left"
    assert time_left(_standings(("running", {"since": _ago(5)}))) is None
    assert time_left(_standings(("done", {"seconds": 5}))) is None


def test_a_run_that_takes_longer_than_the_others_leaves_no_negative_time():
    assert time_left(_standings(("done", {"seconds": 5}), ("running", {"since": _ago(60)}))) == 0


def test_what_a_command_finds():
    standings = _standings(("done", {}), ("failed", {}), ("interrupted", {}), ("waiting", {}), ("waiting", {}))
    assert opening_line(standings) == (
        "5 runs: 1 done before and skipped, 1 interrupted and resumed, 1 failed before and tried again, 2 new"
    )


def test_the_file_says_what_runs_and_what_failed_and_why():
    text = progress_text(
        _standings(("failed", {"error": "loss is nan"}), ("running", {"since": _ago(1)}), ("done", {}))
    )
    first, *others = text.splitlines()
    assert first.startswith("3 runs: 1 done, 1 running, 1 failed (")
    assert [line.split() for line in others] == [
        ["running", "seed=1", "/runs/seed=1"],
        ["failed", "seed=0", "/runs/seed=0", "loss", "is", "nan"],
    ]


def test_a_board_follows_the_run_folders(tmp_path, monkeypatch):
    monkeypatch.setattr("disent_runner.sweep.board.SECONDS_BETWEEN_LOOKS", 0.05)
    jobs = [Job((), f"seed={seed}", tmp_path / f"seed={seed}", "asked") for seed in range(2)]
    board = Board(tmp_path, jobs, command="disent-run -m seed=0,1")
    assert json.loads((board.folder / "sweep.json").read_text())["command"] == "disent-run -m seed=0,1"
    with board.kept_up_to_date():
        assert (board.folder / "progress.txt").read_text().startswith("2 runs: 2 waiting")
        write_status(jobs[0].folder, "done", request="asked")
    assert (board.folder / "progress.txt").read_text().startswith("2 runs: 1 done, 1 waiting")
    assert Board(tmp_path, jobs[::-1], command="again").folder == board.folder


def test_what_ends_a_sweep_is_said_by_its_end_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("disent_runner.sweep.board.SECONDS_BETWEEN_LOOKS", 0.01)
    jobs = [Job((), f"seed={seed}", tmp_path / f"seed={seed}", "asked") for seed in range(2)]
    board = Board(tmp_path, jobs, command="disent-run -m seed=0,1")
    with board.kept_up_to_date():
        for job in jobs:
            write_status(job.folder, "done", request="asked")
        while "2 done" not in (board.folder / "progress.txt").read_text():
            time.sleep(0.01)
    assert "2 runs: 2 done" not in capsys.readouterr().out


@pytest.mark.parametrize("state", ["done", "waiting"])
def test_where_all_is_done_nothing_need_be_written(state, tmp_path, monkeypatch):
    (tmp_path / "sweeps").write_text("no folder, so that nothing can be written below it, by root either")
    monkeypatch.setattr("disent_runner.sweep.board.standing", lambda job: Standing(state, {}))
    jobs = [Job((), "seed=0", tmp_path / "run", "asked")]
    if state == "done":
        Board(tmp_path, jobs, command="disent-run -m").write()
    else:
        with pytest.raises(OSError, match=r"cannot write .*sweep\.json"):
            Board(tmp_path, jobs, command="disent-run -m")
