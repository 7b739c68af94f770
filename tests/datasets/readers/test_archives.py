import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disent_runner.datasets.readers import archives
from disent_runner.datasets.readers.archives import Archive, open_archive, read_gzip

FILES = {"b/2.bin": bytes(range(256)) * 40, "b/1.bin": b"one", "a.txt": b""}
KINDS = ["things.tar", "things.tar.gz", "things.tar.xz", "things.zip", "things"]

TOLD = (ValueError, OSError, EOFError, KeyError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
"""What `load` makes one line of."""


def write(path: Path, files: Mapping[str, bytes] = FILES) -> Path:
    if path.suffix == "":
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("empty")
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        mode: Any = f"w:{path.suffix[1:].replace('tar', '')}"
        with tarfile.open(path, mode) as archive:
            archive.addfile(directory("empty"))
            for name, content in files.items():
                archive.addfile(described(name, content), io.BytesIO(content))
    return path


def described(name: str, content: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member


def directory(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    return member


def everything(archive: Archive) -> dict[str, bytes]:
    return {name: archive.read(name, max_bytes=20_000) for name in archive.names}


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_read_in_their_order(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / kind)
    with open_archive(path) as archive:
        assert archive.path == path
        assert archive.names == (sorted(FILES) if kind == "things" else list(FILES))
        assert everything(archive) == FILES


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_opened_again_keeps_its_names(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_archive(write(tmp_path / kind)) as archive:
        names = list(archive.names)
    for listing in ("_check_names", "os"):
        monkeypatch.setattr(archives, listing, None)  # what would be needed to look for them again
    with archive:
        assert archive.names == names
        assert everything(archive) == FILES


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_larger_than_expected(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / kind, {"bomb": bytes(10_000_000)})
    with open_archive(path) as archive:
        with pytest.raises(ValueError, match=rf"bomb in {path} is larger than the 1,000 bytes expected"):
            archive.read("bomb", max_bytes=1000)
        assert len(archive.read("bomb", max_bytes=10_000_000)) == 10_000_000


@pytest.mark.parametrize("kind", ["things.tar", "things.tar.gz", "things.zip"])
@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a\\..\\up"])
def test_names_that_lead_out(kind: str, name: str, tmp_path: Path) -> None:
    path = write(tmp_path / kind, {"good": b"", name: b"bad"})
    with (
        pytest.raises(ValueError, match=rf"{path} has a member .*(up|passwd).*, which leads out of the archive"),
        open_archive(path),
    ):
        pass


def test_two_dots_within_a_name_are_a_name(tmp_path: Path) -> None:
    with open_archive(write(tmp_path / "things.zip", {"a..b/c..": b"good"})) as archive:
        assert archive.names == ["a..b/c.."]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "/etc/passwd"
    path = tmp_path / "things.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(member)
    with pytest.raises(ValueError, match=rf"{path} has a member 'link' that is a link"), open_archive(path):
        pass


def test_links_in_a_zip(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "things.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(ValueError, match=rf"{path} has a member 'link' that is a link"), open_archive(path):
        pass


@pytest.mark.parametrize("kind", ["things.tar", "things.zip"])
def test_too_many_members(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / kind)  # with an empty folder four
    monkeypatch.setattr(archives, "MAX_MEMBERS", 4)
    with open_archive(path) as archive:
        assert len(archive.names) == 3
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    with pytest.raises(ValueError, match=rf"{path} has more than 3 members"), open_archive(path):
        pass


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_name_that_fills_the_memory(kind: bytes, tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, 2**33
    path = tmp_path / "things.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)))
    with pytest.raises(TOLD, match=r"a header of 8,589,934,592 bytes|no tar, zip or folder"), open_archive(path):
        pass


@pytest.mark.parametrize("kind", ["things.tar", "things.tar.gz", "things.tar.xz", "things.zip"])
@pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 0.9])
def test_truncated(kind: str, keep: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(3000)
    whole = write(tmp_path / kind, {"a": noise, "b": noise, "c": noise[:2000]}).read_bytes()
    end = len(whole) if kind != "things.tar" else 3 * 512 + 512 + 2 * 3072 + 2048  # what follows is padding
    (tmp_path / kind).write_bytes(whole[: int(keep * end)])
    with pytest.raises(TOLD), open_archive(tmp_path / kind) as archive:
        everything(archive)


@pytest.mark.parametrize("size", [512 + 512, 512 + 700, 512 + 512 + 3072, 512 + 512 + 3072 + 100])
def test_a_tar_that_ends_where_a_member_may_begin(size: int, tmp_path: Path) -> None:
    path = write(tmp_path / "things.tar", {"a": bytes(3000), "b": b""})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(tarfile.ReadError), open_archive(path):
        pass


def test_a_damaged_header(tmp_path: Path) -> None:
    path = write(tmp_path / "things.tar", {"a": bytes(3000), "b": b""})
    damaged = bytearray(path.read_bytes())
    damaged[512 + 512 + 3072 + 50] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(tarfile.ReadError, match="bad checksum within the archive"), open_archive(path):
        pass


@pytest.mark.parametrize("kind", ["things.tar.gz", "things.tar.xz", "things.zip"])
def test_damaged_content(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / kind, {"a": np.random.default_rng(0).bytes(10_000)})
    damaged = bytearray(path.read_bytes())
    damaged[5000:5010] = bytes(10)
    path.write_bytes(damaged)
    with pytest.raises(TOLD), open_archive(path) as archive:
        archive.read("a", max_bytes=20_000)


@pytest.mark.parametrize(("at", "value", "reason"), [(6, 1, "encrypted"), (8, 97, "compression")])
def test_a_zip_that_python_cannot_unpack(at: int, value: int, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "things.zip", {"a": b"content"})
    changed = bytearray(path.read_bytes())
    for start, offset in ((changed.rindex(b"PK\x03\x04"), at), (changed.rindex(b"PK\x01\x02"), at + 2)):
        changed[start + offset] = value
    path.write_bytes(changed)
    with (
        open_archive(path) as archive,
        pytest.raises(ValueError, match=rf"a in {path} cannot be read \(.*{reason}.*\); download it again"),
    ):
        archive.read("a", max_bytes=100)


def test_a_damaged_lzma_member(tmp_path: Path) -> None:
    path = tmp_path / "things.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", bytes(5000))
    damaged = bytearray(path.read_bytes())
    damaged[50:60] = b"\xff" * 10
    path.write_bytes(damaged)
    with pytest.raises(TOLD), open_archive(path) as archive:
        archive.read("a", max_bytes=10_000)


@pytest.mark.parametrize("content", [b"", b"<html>quota exceeded</html>", bytes(100), lzma.compress(b"text")])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "things.tar"
    path.write_bytes(content)
    expected = rf"{path} \({len(content)} bytes\) is no tar, zip or folder; download it again"
    with pytest.raises(ValueError, match=expected), open_archive(path):
        pass


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = write(tmp_path / "inner.zip").read_bytes()
    with open_archive(write(tmp_path / "outer.tar", {"inner.zip": inner})) as archive:
        assert archive.names == ["inner.zip"]


def test_missing_things(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_archive(tmp_path / "things.zip")
    for kind in KINDS:
        with open_archive(write(tmp_path / kind)) as archive, pytest.raises(TOLD, match=r"nothing\.bin"):
            archive.read("nothing.bin", max_bytes=100)


def test_gzip(tmp_path: Path) -> None:
    packed, plain = tmp_path / "a.gz", tmp_path / "a"
    packed.write_bytes(gzip.compress(b"content"))
    plain.write_bytes(b"content")
    for path in (packed, plain):
        assert read_gzip(path, max_bytes=7) == b"content"
        with pytest.raises(ValueError, match=rf"{path.name} in {path} is larger than the 6 bytes expected"):
            read_gzip(path, max_bytes=6)


@pytest.mark.parametrize("damage", [lambda whole: whole[:-9], lambda whole: b"<html>", lambda whole: whole + b"x"])
def test_damaged_gzip(damage, tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(damage(gzip.compress(np.random.default_rng(0).bytes(1000))))
    with pytest.raises(TOLD):
        read_gzip(path, max_bytes=2000)
