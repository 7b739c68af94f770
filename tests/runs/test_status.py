import signal

import pytest

from disent_runner.runs.status import Interrupted, is_finished, read_status, reported, write_status


def test_what_becomes_of_a_run_is_said(tmp_path):
    with reported(tmp_path, "a"):
        assert read_status(tmp_path)["state"] == "running"
    assert read_status(tmp_path)["state"] == "done"
    assert read_status(tmp_path)["seconds"] >= 0
    with pytest.raises(ValueError), reported(tmp_path, "b"):
        raise ValueError("first line\nsecond")
    assert (read_status(tmp_path)["state"], read_status(tmp_path)["error"]) == ("failed", "first line second")
    with pytest.raises(Interrupted), reported(tmp_path, "c"):
        raise Interrupted(signal.SIGTERM, 7)
    assert read_status(tmp_path)["state"] == "interrupted"
    with pytest.raises(KeyboardInterrupt), reported(tmp_path, "c"):
        raise KeyboardInterrupt
    assert read_status(tmp_path)["state"] == "interrupted"
    assert is_finished(tmp_path, "a")
    assert not is_finished(tmp_path, "b")


def test_a_clusters_signal_means_queued_where_someone_puts_the_job_back(tmp_path):
    before = signal.signal(signal.SIGUSR2, lambda *_: None)
    try:
        for signum in (signal.SIGUSR2, signal.SIGUSR1):  # submitit listens for one, a cluster may send the other
            with pytest.raises(Interrupted), reported(tmp_path, "a"):
                raise Interrupted(signum, 7)
            assert read_status(tmp_path)["state"] == "queued"
        assert Interrupted(signal.SIGUSR1, 7).passed_on == signal.SIGUSR2
        assert Interrupted(signal.SIGTERM, 7).passed_on is None
    finally:
        signal.signal(signal.SIGUSR2, before)
    with pytest.raises(Interrupted), reported(tmp_path, "a"):
        raise Interrupted(signal.SIGUSR2, 7)
    assert read_status(tmp_path)["state"] == "interrupted"


def test_the_task_of_a_cluster_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4715")
    monkeypatch.delenv("SUBMITIT_EXECUTOR", raising=False)
    write_status(tmp_path, "running", request="a")
    assert "task" not in read_status(tmp_path)  # typed in somebody's interactive session
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    write_status(tmp_path, "running", request="a")
    assert read_status(tmp_path)["task"] == "4715"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "4711")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    write_status(tmp_path, "running", request="a")
    assert read_status(tmp_path)["task"] == "4711_3"


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_status_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    assert read_status(tmp_path) == {}
    assert not is_finished(tmp_path, "a")
