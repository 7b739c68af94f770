import threading

import pytest

from disent_runner.runs.status import read_status, write_status
from disent_runner.sweep import watch as module
from disent_runner.sweep.board import Board
from disent_runner.sweep.jobs import Job
from disent_runner.sweep.watch import standings_of, watch


@pytest.fixture
def board(tmp_path):
    jobs = [Job((f"seed={seed}",), f"seed={seed}", tmp_path / f"seed={seed}", "asked") for seed in range(2)]
    return Board(tmp_path, jobs, command="")


def test_a_sweep_is_watched_until_its_last_run_has_ended(board, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.02)
    write_status(board.jobs[0].folder, "done", request="asked")
    timer = threading.Timer(0.3, write_status, (board.jobs[1].folder, "failed"), {"request": "asked", "error": "why"})
    timer.start()
    watch([tmp_path])
    assert read_status(board.jobs[1].folder)["state"] == "failed"
    timer.join()
    output = capsys.readouterr().out
    assert f"{board.folder.name}: 2 runs: 1 done, 1 failed" in output
    assert "why" in output


def test_a_sweep_whose_watcher_has_gone_is_watched_no_longer(board, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_read", lambda: False)
    watch([tmp_path])
    assert {read_status(job.folder).get("state") for job in board.jobs} == {None}


def test_the_file_of_a_sweep_is_enough_to_know_its_runs(board):
    standings = standings_of(board.folder / "sweep.json")
    assert [(job.label, job.folder) for job in standings] == [(job.label, job.folder) for job in board.jobs]
    assert {standing.state for standing in standings.values()} == {"waiting"}


def test_a_folder_without_a_sweep_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no sweep in .*; a sweep leaves sweeps/<id>/sweep.json"):
        watch([tmp_path])
