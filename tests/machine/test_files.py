import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from disent_runner.machine.files import (
    appearing,
    new_file,
    read_json,
    read_whole,
    require_room,
    size_text,
    write_json,
    write_whole,
)


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    code = (
        "import resource, sys; from pathlib import Path; from disent_runner.machine.files import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_whole(Path(sys.argv[1]), b'x' * 5000)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"cannot write {path}: File too large; what was there before is kept" in done.stderr
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_comes_back_and_damage_is_named(tmp_path: Path):
    path = tmp_path / "some" / "file.json"
    assert read_json(path, default=7) == 7
    write_json(path, {"β": [1, 2.5]})
    assert read_json(path, default=None) == {"β": [1, 2.5]}
    path.write_text('{"β": [1,')
    with pytest.raises(ValueError, match=r"file\.json is damaged .*delete it"):
        read_json(path, default=None)


def test_a_file_appears_when_all_is_written_and_not_at_all_after_an_error(tmp_path):
    path = tmp_path / "new" / "file"
    with appearing(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert path.read_text() == "whole"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def write_half(path):
    with appearing(path) as partial:
        partial.write_text("torn")
        raise ZeroDivisionError


def test_a_new_file_replaces_none(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(FileExistsError, match="is already there; remove it or choose another name"):
        write_too_late(path)
    assert path.read_text() == "old"


def write_too_late(path):
    with new_file(path) as partial:
        partial.write_text("new")
        path.write_text("old")  # by another process meanwhile


def test_a_full_disk_is_said_before_the_work(tmp_path):
    require_room(tmp_path, 1)
    with pytest.raises(OSError, match=r"No space left on device, 1,000,000,000 GB are needed and .* free"):
        require_room(tmp_path, 10**18)


def test_sizes_are_said_as_people_do():
    assert [size_text(size) for size in (12, 3_400, 26_340_000, 5_100_000_000, 10**13)] == [
        *("12 bytes", "3.4 kB", "26.3 MB", "5.1 GB", "10,000 GB"),
    ]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_plain_file_is_not_waited_for(tmp_path, kind):
    path = {"device": Path("/dev/zero"), "folder": tmp_path}.get(kind, tmp_path / "pipe")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ValueError, match="is no plain file"):
        read_whole(path)


def test_no_more_than_asked_for_is_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_whole(tmp_path / "file", most=5) == b"12345"
    with pytest.raises(ValueError, match="file has more than 4 bytes"):
        read_whole(tmp_path / "file", most=4)


def test_json_that_lies_too_deep_is_damage(tmp_path):
    (tmp_path / "file").write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(ValueError, match=r"is damaged .*too deep"):
        read_json(tmp_path / "file", default=None)


def test_what_killed_writers_of_the_file_left_goes_with_the_next_one(tmp_path):
    here, ended = socket.gethostname(), subprocess.Popen(["true"])
    ended.wait()
    kinds = {f"{here}.{ended.pid}": False, f"{here}.{os.getppid()}": True, "elsewhere.1": True}
    for kind in kinds:
        (tmp_path / f".a.{kind}.partial").touch()
    (tmp_path / f".b.{here}.{ended.pid}.partial").touch()
    write_whole(tmp_path / "a", "new")
    assert {kind: (tmp_path / f".a.{kind}.partial").exists() for kind in kinds} == kinds
    assert (tmp_path / f".b.{here}.{ended.pid}.partial").exists()
