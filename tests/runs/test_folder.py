import errno
import fcntl
import os
import subprocess
import sys

import pytest

from disent_runner.runs.folder import exclusive, folders_below, is_held, run_folder_of


@pytest.mark.slow
def test_a_folder_has_one_owner_at_a_time(tmp_path):
    code = (
        "import sys; from pathlib import Path; from disent_runner.runs.folder import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RuntimeError, match=rf"in use by another process \(pid {other.pid} "), exclusive(tmp_path):
            pass
        other.kill()  # the lock ends with its process
        other.wait()
    assert not is_held(tmp_path)
    with exclusive(tmp_path):
        assert is_held(tmp_path)
        assert f"pid {os.getpid()}" in (tmp_path / ".owner").read_text()


def test_a_run_is_named_by_its_folder_or_a_checkpoint(tmp_path):
    checkpoint = tmp_path / "run" / "checkpoints" / "step=000000005.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    (tmp_path / "run" / "config.yaml").touch()
    assert run_folder_of(str(tmp_path / "run")) == tmp_path / "run"
    assert run_folder_of(str(checkpoint)) == tmp_path / "run"
    for missing in (checkpoint.with_name("step=000000009.pt"), checkpoint.parent, tmp_path):
        with pytest.raises(FileNotFoundError, match="no run there"):
            run_folder_of(str(missing))


def run_in(folder):
    folder.mkdir(parents=True)
    (folder / "config.yaml").touch()
    return folder


def test_runs_are_found_at_any_depth_and_nothing_is_looked_for_inside_them(tmp_path):
    first, second = run_in(tmp_path / "a" / "seed=0"), run_in(tmp_path / "b" / "c" / "d" / "seed=0")
    for name in ("report", "checkpoints", "figures", ".hidden"):
        run_in(tmp_path / "b" / name / "seed=9")
    run_in(first / "deeper")
    assert list(folders_below(tmp_path)) == [first, second]


def test_a_run_that_links_lead_to_again_is_found_once(tmp_path):
    run = run_in(tmp_path / "runs" / "seed=0")
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    (tmp_path / "again").symlink_to(run)
    visited: set[tuple[int, int]] = set()
    assert [len(list(folders_below(root, visited))) for root in (tmp_path / "runs", tmp_path, run)] == [1, 0, 0]


@pytest.mark.parametrize("name", [".owner", "run.log", "train.csv", "metrics.json", "figures", "pipe"])
def test_a_run_folder_with_links_or_pipes_for_files_is_not_worked_in(tmp_path, name):
    """A link in place of `.owner` would have another file of the user's overwritten."""
    folder, target = tmp_path / "run", tmp_path / "target"
    folder.mkdir()
    (folder / "config.yaml").write_text("seed: 0\n")
    if name == "pipe":
        os.mkfifo(folder / name)
    elif name == "figures":
        target.mkdir()
        (folder / name).symlink_to(target)
    else:
        target.write_text("kept")
        (folder / name).symlink_to(target)
    with pytest.raises(ValueError, match=f"{name} is no plain file"):
        run_folder_of(str(folder))
    with pytest.raises(ValueError, match=f"{name} is no plain file"), exclusive(folder):
        pass
    assert not target.is_file() or target.read_text() == "kept"


def test_its_checkpoints_may_lie_on_another_disk(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoints").symlink_to(tmp_path / "scratch")
    with exclusive(tmp_path / "run"):
        pass


def test_a_file_system_without_locks_is_named_with_the_way_out(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    refusal = rf"cannot write {tmp_path}.*No locks available; set output_root"
    with pytest.raises(OSError, match=refusal), exclusive(tmp_path):
        pass
    assert not is_held(tmp_path)


def test_the_next_owner_removes_what_a_kill_left_and_nothing_that_is_gone_on_with(tmp_path):
    for name in (".metrics.json.host.1.partial", "checkpoints/.step=1.pt.host.1.partial", ".codes.h5.partial"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with exclusive(tmp_path):
        assert sorted(path.name for path in tmp_path.rglob("*.partial")) == [".codes.h5.partial"]
