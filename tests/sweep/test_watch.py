import shutil
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
    return Board(tmp_path, jobs, command="disent-run -m seed=0,1")


def test_a_sweep_is_watched_until_its_last_run_has_ended(board, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(module, "LOOKS_UNTIL_LEFT", 1000)
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


def test_a_sweep_that_nobody_works_on_is_not_waited_for(board, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.001)
    write_status(board.jobs[0].folder, "done", request="asked")
    watch([tmp_path])
    output = " ".join(capsys.readouterr().out.split())
    assert "2 runs: 1 done, 1 waiting" in output
    assert f"{board.folder.name}: nobody works on it now; the same command goes on: disent-run -m seed=0,1" in output


def test_the_runs_of_a_sweep_that_was_moved_are_beside_it(board, tmp_path, capsys):
    for job in board.jobs:
        write_status(job.folder, "done", request="asked")
    board.write()
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name} moved")) / "further"
    moved.mkdir()
    for path in (moved.parent / "seed=0", moved.parent / "seed=1", moved.parent / "sweeps"):
        path.rename(moved / path.name)
    watch([moved])
    assert "2 runs: 2 done" in capsys.readouterr().out
    again = [Job(job.overrides, job.label, moved / job.folder.name, job.request) for job in board.jobs]
    assert Board(moved, again, command="").folder == moved / "sweeps" / board.folder.name


def test_of_a_copy_the_runs_beside_it_are_meant(board, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(board.folder.parent, copy / "sweeps")
    write_status(copy / "seed=0", "done", request="asked")
    standings = standings_of(copy / "sweeps" / board.folder.name / "sweep.json")
    assert [(job.folder.parent, now.state) for job, now in standings.items()] == [(copy, "done"), (tmp_path, "waiting")]


def test_a_folder_without_a_sweep_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no sweep in .*; a sweep leaves sweeps/<id>/sweep.json"):
        watch([tmp_path])
