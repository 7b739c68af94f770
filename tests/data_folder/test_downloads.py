"""Downloads from a server of this process that breaks off, knows no ranges, or gives something else."""

import errno
import gzip
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from disent_runner.data_folder import downloads
from disent_runner.data_folder.downloads import download
from tests.data_folder.conftest import Served

NO_WAIT = (0.0, 0.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "images.bin"


def left(target: Path) -> set[str]:
    """What lies beside the file."""
    return {path.name for path in target.parent.iterdir()} - {f"{target.name}.lock"}


def test_a_file_comes_with_its_hash_checked(served: Served, target: Path):
    download(served.file(), target)
    assert target.read_bytes() == served.content
    assert left(target) == {"images.bin"}
    assert served.asked == [None]


def test_a_file_that_is_there_is_left_alone(served: Served, target: Path):
    target.parent.mkdir()
    target.write_bytes(b"mine")
    download(served.file(), target)
    assert target.read_bytes() == b"mine"
    assert served.asked == []


def test_permissions_are_those_of_other_files(served: Served, target: Path):
    download(served.file(), target)
    (other := target.with_name("other")).touch()
    assert target.stat().st_mode == other.stat().st_mode


def test_an_answer_that_breaks_off_is_continued(served: Served, target: Path):
    served.breaks_after = [100_000, 50_000]
    download(served.file(), target, pauses=NO_WAIT)
    assert target.read_bytes() == served.content
    assert served.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_an_answer_of_no_known_length_is_told_by_the_hash(served: Served, target: Path):
    served.says_length = False
    served.breaks_after = [100_000]
    with pytest.raises(ValueError, match="is not the published file"):
        download(served.file(), target, pauses=NO_WAIT)
    download(served.file(), target, pauses=NO_WAIT)
    assert target.read_bytes() == served.content


def test_attempts_count_only_while_nothing_comes(served: Served, target: Path):
    served.breaks_after = [10_000] * 20
    download(served.file(), target, pauses=NO_WAIT)
    assert target.read_bytes() == served.content
    assert len(served.asked) == 21


def test_the_next_command_goes_on_from_the_part(served: Served, target: Path):
    served.breaks_after = [100_000, 0, 0, 0]
    with pytest.raises(
        ConnectionError, match=r"cannot be downloaded \(.*; 100 kB are here\); run the same command again"
    ):
        download(served.file(), target, pauses=NO_WAIT)
    assert left(target) == {"images.bin.part"}
    served.asked.clear()
    served.breaks_after.clear()
    download(served.file(), target, pauses=())
    assert served.asked == ["bytes=100000-"]
    assert target.read_bytes() == served.content
    assert left(target) == {"images.bin"}


def test_a_server_without_ranges_starts_again(served: Served, target: Path):
    served.knows_range = False
    served.breaks_after = [100_000]
    download(served.file(), target, pauses=NO_WAIT)
    assert served.asked == [None, "bytes=100000-"]
    assert target.read_bytes() == served.content


def test_a_part_that_is_whole_already(served: Served, target: Path):
    target.parent.mkdir()
    target.with_name("images.bin.part").write_bytes(served.content)
    download(served.file(), target, pauses=())
    assert target.read_bytes() == served.content


def test_a_part_that_is_longer_than_the_file(served: Served, target: Path):
    target.parent.mkdir()
    target.with_name("images.bin.part").write_bytes(served.content + b"more")
    download(served.file(), target, pauses=NO_WAIT)
    assert served.asked == ["bytes=300004-", None]
    assert target.read_bytes() == served.content


def test_a_server_that_continues_elsewhere(served: Served, target: Path):
    target.parent.mkdir()
    target.with_name("images.bin.part").write_bytes(served.content[:1000])
    served.shifts_range_by = 1
    with pytest.raises(ConnectionError, match="asked from byte 1000, got bytes 1001-"):
        download(served.file(), target, pauses=NO_WAIT)


def test_another_hash_removes_what_came(served: Served, target: Path):
    wrong = f"md5:{'0' * 32}"
    with pytest.raises(
        ValueError, match=r"is not the published file \(MD5 hash .* expected md5:0+ but got \w{32}\)"
    ) as raised:
        download(served.file(digest=wrong), target)
    assert "\n" not in str(raised.value)
    assert "dataset.check_hash=false" in str(raised.value)
    assert left(target) == set()
    download(served.file(digest=wrong), target, check_hash=False)
    assert target.read_bytes() == served.content


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_not_tried_again(served: Served, target: Path, status: int):
    served.statuses = [status] * 9
    with pytest.raises(ConnectionError, match=rf"\({status} .*; 0 bytes are here\); put the file at {target} yourself"):
        download(served.file(), target, pauses=NO_WAIT)
    assert len(served.asked) == 1


def test_a_busy_server_is_asked_again(served: Served, target: Path):
    served.statuses = [503, 429]
    download(served.file(), target, pauses=NO_WAIT)
    assert target.read_bytes() == served.content


def test_nobody_there(served: Served, target: Path):
    file = served.file()
    served.port = 1
    with pytest.raises(ConnectionError, match=r"\(no connection; 0 bytes"):
        download(served.file(), target, pauses=NO_WAIT)
    assert file.url is not None


def test_no_answer(served: Served, target: Path, monkeypatch: pytest.MonkeyPatch):
    def get(*_: object, **__: object) -> None:
        raise requests.ReadTimeout("read timed out")

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(ConnectionError, match="no answer for 60 seconds"):
        download(served.file(), target, pauses=())


def test_a_compressed_file_stays_compressed(served: Served, target: Path):
    served.content = gzip.compress(served.content)
    served.content_encoding = "gzip"
    download(served.file(), target)
    assert target.read_bytes() == served.content


def test_several_at_once_download_once(served: Served, target: Path):
    threads = [threading.Thread(target=download, args=(served.file(), target)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == served.content
    assert len(served.asked) == 1


def test_too_little_room_is_told_before_anything_comes(served: Served, target: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"part: No space left .* 300 kB are needed and 1 kB free; make room") as raised:
        download(served.file(), target)
    assert raised.value.errno is None  # the line is whole as it is
    assert left(target) == set()


def test_a_full_disk_keeps_what_came(served: Served, target: Path, monkeypatch: pytest.MonkeyPatch):
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_continue", write)
    with pytest.raises(OSError, match=r"cannot write .*images.bin.part: No space left on device; make room there or"):
        download(served.file(), target)


def test_a_folder_that_cannot_be_made(served: Served, tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match=r"cannot write .*: Not a directory|File exists"):
        download(served.file(), tmp_path / "data" / "images.bin")
    assert served.asked == []


def test_a_file_without_url(target: Path, served: Served):
    file = served.file()
    with pytest.raises(ValueError, match="has no url"):
        download(type(file)(file.name), target)
