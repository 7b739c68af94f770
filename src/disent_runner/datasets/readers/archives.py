"""Files inside of archives, read where they are: nothing is unpacked to disk, so no path, link or bomb can do harm."""

import gzip
import os
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, Self, final

MAX_MEMBERS = 2_000_000
MAX_HEADER_BYTES = 2**20
"""Of a name or other notes before a member of a tar, which are read into memory whole."""

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
HEADER_TYPES = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


class Archive(ABC):
    """The regular files in a tar, zip or folder, by name.

    `with archive:` opens it. It may be opened again, as by a generator that goes on reading; the names, which take the
    longest, are kept.
    """

    path: Path
    names: list[str]
    """in the order of the archive, which is the quickest to read in; those of a folder sorted"""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = []

    @abstractmethod
    def __enter__(self) -> Self:
        """ValueError for a member whose name leads out of the archive, a link, or more members than MAX_MEMBERS."""

    @abstractmethod
    def __exit__(self, *error: object) -> None: ...

    @abstractmethod
    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]: ...

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """A file's content. ValueError where it is larger than that, encrypted, or packed in an unknown way."""
        with _explained(f"{name} in {self.path}"), self._open(name) as member:
            content = member.read(max_bytes + 1)
        return _limited(content, max_bytes, self.path, name)


def open_archive(path: Path) -> Archive:
    """A tar (compressed or not), a zip or a folder, to be used in a `with` statement."""
    if path.is_dir():
        return _Folder(path)
    with path.open("rb") as file:
        is_zip = file.read(4) in ZIP_STARTS  # not what zipfile looks for, which a tar of zips has too
    return _Zip(path) if is_zip else _Tar(path)


def read_gzip(path: Path, *, max_bytes: int) -> bytes:
    """The content of a .gz file, or of a plain file without that ending. ValueError where it is larger than that."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(max_bytes + 1)
    return _limited(content, max_bytes, path, path.name)


@final
class _Folder(Archive):
    def __enter__(self) -> Self:
        if not self.names:
            files_below = (Path(folder, name) for folder, _, files in os.walk(self.path) for name in files)
            self.names = sorted(file.relative_to(self.path).as_posix() for file in files_below)
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return (self.path / name).open("rb")


@final
class _Zip(Archive):
    _file: zipfile.ZipFile

    def __enter__(self) -> Self:
        with _explained(str(self.path)), ExitStack() as on_error:
            self._file = on_error.enter_context(zipfile.ZipFile(self.path))
            if not self.names:
                self.names = list(dict.fromkeys(self._checked_names()))
            on_error.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _checked_names(self) -> list[str]:
        members = self._file.infolist()
        _check_names(self.path, (member.filename for member in members))
        for member in members:
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _link(self.path, member.filename)
        return [member.filename for member in members if not member.filename.endswith("/")]

    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return self._file.open(name)


@final
class _Tar(Archive):
    _file: tarfile.TarFile

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._members: dict[str, tarfile.TarInfo] = {}

    def __enter__(self) -> Self:
        with _explained(str(self.path)), ExitStack() as on_error:
            self._file = on_error.enter_context(self._opened())
            if not self.names:
                _check_names(self.path, (self._keep(member) for member in self._file))
                self.names = list(self._members)
            on_error.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _opened(self) -> tarfile.TarFile:
        try:
            return tarfile.open(self.path, tarinfo=_Member)
        except tarfile.ReadError as error:
            size = self.path.stat().st_size
            raise ValueError(f"{self.path} ({size} bytes) is no tar, zip or folder; download it again") from error

    def _keep(self, member: tarfile.TarInfo) -> str:
        if member.issym() or member.islnk():
            raise _link(self.path, member.name)
        if member.isfile():
            self._members[member.name] = member
        return member.name

    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        content = self._file.extractfile(self._members[name])
        assert content is not None  # only of files
        return content


@final
class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the end; after a first member, tarfile takes any other error for it as well
            raise tarfile.ReadError(f"{error} within the archive, or no end of it") from error
        if member.type in HEADER_TYPES and member.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {member.size:,} bytes")
        return member


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """What the standard library raises besides OSError, EOFError and the errors of each format."""
    try:
        yield
    except (RuntimeError, UnicodeError, LZMAError) as error:
        raise ValueError(f"{what} cannot be read ({error}); download it again") from error


def _check_names(path: Path, names: Iterable[str]) -> None:
    for count, name in enumerate(names):
        if count == MAX_MEMBERS:
            raise ValueError(f"{path} has more than {MAX_MEMBERS:,} members; it is not the published archive")
        if name.startswith("/") or "\\" in name or (".." in name and ".." in PurePosixPath(name).parts):
            raise ValueError(
                f"{path} has a member {name!r}, which leads out of the archive; it is not the published one"
            )


def _link(path: Path, name: str) -> ValueError:
    return ValueError(f"{path} has a member {name!r} that is a link; it is not the published archive")


def _limited(content: bytes, max_bytes: int, path: Path, name: str) -> bytes:
    if len(content) > max_bytes:
        raise ValueError(
            f"{name} in {path} is larger than the {max_bytes:,} bytes expected; it is not the published one"
        )
    return content
