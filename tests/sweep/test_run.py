import dataclasses
import threading

import pytest

from disent_runner.runs.folder import exclusive
from disent_runner.runs.status import write_status
from disent_runner.sweep import board, run
from disent_runner.sweep.jobs import Job
from disent_runner.sweep.run import SweepNotDone, run_all, run_sweep, say_next


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(board, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(run, "SECONDS_BETWEEN_TRIES", 0.02)


@pytest.fixture
def jobs(tmp_path):
    return [Job((f"seed={seed}",), f"seed={seed}", tmp_path / f"seed={seed}", "asked") for seed in range(3)]


def _launcher(launched, *, states=()):
    def launch(chosen):
        launched.append([job.label for job in chosen])
        for job in chosen:
            write_status(job.folder, dict(states).get(job.label, "done"), request=job.request, error="why")

    return launch


def test_done_runs_are_skipped_and_the_others_launched_once(jobs, tmp_path, capsys):
    write_status(jobs[1].folder, "done", request="asked")
    write_status(jobs[2].folder, "failed", request="asked")
    launched: list[list[str]] = []
    run_sweep(jobs, _launcher(launched), root=tmp_path, command="", waits=True)
    assert launched == [["seed=0", "seed=2"]]
    output = capsys.readouterr().out
    assert "3 runs: 1 done before and skipped, 1 failed before and tried again, 1 new" in output
    assert "3 runs: 3 done" in output


def test_a_sweep_that_is_done_says_what_reports_it(jobs, tmp_path, capsys):
    launched: list[list[str]] = []
    say_next(run_sweep(jobs, _launcher(launched), root=tmp_path, command="", waits=True))
    folder = tmp_path / "sweeps"
    assert f"sweep: next: disent-report {folder}/" in capsys.readouterr().out
    more = [*jobs, Job(("seed=9",), "seed=9", tmp_path / "seed=9", "asked")]
    say_next(run_sweep(more, lambda chosen: None, root=tmp_path, command="", waits=False))
    assert "next" not in capsys.readouterr().out


def test_what_fails_is_named_with_its_log_after_the_others_are_done(jobs, tmp_path, capsys):
    launched: list[list[str]] = []
    states = {"seed=1": "failed", "seed=2": "interrupted"}
    with pytest.raises(SweepNotDone, match="1 failed and 1 interrupted of 3 runs; the same command tries those again"):
        run_sweep(jobs, _launcher(launched, states=states), root=tmp_path, command="", waits=True)
    assert len(launched) == 1
    assert f"failed: seed=1: why (log: {jobs[1].folder / 'run.log'})" in capsys.readouterr().out


def test_a_run_that_says_nothing_is_not_taken_for_done(jobs, tmp_path):
    with pytest.raises(SweepNotDone, match="3 waiting of 3 runs"):
        run_sweep(jobs, lambda chosen: None, root=tmp_path, command="", waits=True)


def test_a_run_of_another_process_is_waited_for_and_not_done_again(jobs, tmp_path):
    held, released = threading.Event(), threading.Event()

    def other():
        with exclusive(jobs[0].folder):
            write_status(jobs[0].folder, "running", request="asked")
            held.set()
            released.wait(10)
            write_status(jobs[0].folder, "done", request="asked")

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(10)
    launched: list[list[str]] = []

    def launch(chosen):
        _launcher(launched)(chosen)
        released.set()

    run_sweep(jobs, launch, root=tmp_path, command="", waits=True)
    thread.join()
    assert launched == [["seed=1", "seed=2"]]


def test_a_launcher_that_returns_at_once_is_not_waited_for(jobs, tmp_path):
    launched: list[list[str]] = []
    states = dict.fromkeys((job.label for job in jobs), "queued")
    run_sweep(jobs, _launcher(launched, states=states), root=tmp_path, command="", waits=False)
    assert len(launched) == 1


def test_a_sweep_that_is_not_done_does_not_stop_the_others(capsys):
    done: list[int] = []

    def fails() -> None:
        raise SweepNotDone("1 failed of 2 runs")

    with pytest.raises(SweepNotDone, match=r"^sweep 2: 1 failed of 2 runs$"):
        run_all([lambda: done.append(1), fails, lambda: done.append(3)])
    assert done == [1, 3]
    assert "sweep: 3 of 3 sweeps" in capsys.readouterr().out
    with pytest.raises(SweepNotDone, match=r"^1 failed of 2 runs$"):
        run_all([fails])


def _standing_on(jobs, folder):
    """A run below, and the jobs on top of it."""
    vision = Job(("model=vae",), "vision", folder / "vision", "asked", role="vision")
    return [vision, *(dataclasses.replace(job, needs=(vision,)) for job in jobs)]


def test_what_runs_stand_on_is_done_first_and_once(jobs, tmp_path):
    launched: list[list[str]] = []
    run_sweep(_standing_on(jobs, tmp_path), _launcher(launched), root=tmp_path, command="", waits=True)
    assert launched == [["vision"], ["seed=0", "seed=1", "seed=2"]]


def test_runs_that_are_done_need_nothing_below(jobs, tmp_path):
    for job in jobs:
        write_status(job.folder, "done", request="asked")
    launched: list[list[str]] = []
    run_sweep(_standing_on(jobs, tmp_path), _launcher(launched), root=tmp_path, command="", waits=True)
    assert launched == []


def test_a_failure_below_is_that_of_all_above_until_the_next_time(jobs, tmp_path, capsys):
    chain = _standing_on(jobs[:2], tmp_path)
    launched: list[list[str]] = []
    with pytest.raises(SweepNotDone, match="3 failed of 3 runs; the same command tries those again"):
        run_sweep(chain, _launcher(launched, states={"vision": "failed"}), root=tmp_path, command="", waits=True)
    assert launched == [["vision"]]
    assert f"failed: seed=0: its vision failed, in {tmp_path / 'vision'}" in capsys.readouterr().out
    run_sweep(chain, _launcher(launched), root=tmp_path, command="", waits=True)
    assert launched[1:] == [["vision"], ["seed=0", "seed=1"]]


def test_what_a_launcher_lost_is_lost_for_all_above(jobs, tmp_path):
    with pytest.raises(SweepNotDone, match="1 waiting and 2 failed of 3 runs"):
        run_sweep(_standing_on(jobs[:2], tmp_path), lambda chosen: None, root=tmp_path, command="", waits=True)


def test_a_launcher_that_returns_at_once_gets_each_level_in_order(jobs, tmp_path):
    launched: list[list[str]] = []
    run_sweep(
        _standing_on(jobs, tmp_path),
        lambda chosen: launched.append([job.label for job in chosen]),
        root=tmp_path,
        command="",
        waits=False,
    )
    assert launched == [["vision"], ["seed=0", "seed=1", "seed=2"]]
