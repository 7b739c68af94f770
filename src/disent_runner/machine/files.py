"""Files that appear whole or not at all, room for them, and what to do where they cannot be written."""

import errno
import glob
import json
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

UNFINISHED = ".partial"
"""How the names of files end that are still being written, or were when their process ended."""
_GROWN, _MOST_GROWTH = 2**26, 1100
"""Deflate makes nothing more than 1032 times smaller."""
MOST_BYTES = 2**28
"""Of a file that is read whole, where it is not known how large it may be."""
ABANDONED_AFTER_SECONDS = 3600
"""Without a change, after which a file that another machine began is taken for left behind."""


def unfinished(folder: Path, name: str = "*") -> list[Path]:
    """What `appearing` has under way in the folder for files of that name, or left there when it was killed."""
    return list(folder.glob(f".{name}.*.*{UNFINISHED}"))


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Another name to write a file under; the file gets its own when all is written and on the disk.

    Whatever had the name before is kept until then, and for good where an error ends the writing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    partial = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{UNFINISHED}")
    try:
        yield partial
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    with suppress(OSError):  # some network file systems do not sync directories
        os.fsync(directory)
    os.close(directory)


def _remove_abandoned(path: Path) -> None:
    """Remove what was left of the file by writers that are no more: on this machine, or long ago on another one."""
    for partial in unfinished(path.parent, glob.escape(path.name)):
        host, _, process = partial.name.removesuffix(UNFINISHED).removeprefix(f".{path.name}.").rpartition(".")
        with suppress(OSError):
            is_here = host == socket.gethostname() and process.isdecimal()
            is_old = time.time() - partial.stat().st_mtime > ABANDONED_AFTER_SECONDS
            if (is_here and not _is_alive(int(process))) or (not is_here and is_old):
                partial.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # of somebody else
        return True
    return True


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """As `appearing`, of a file that is not there yet.

    FileExistsError where there is such a file by the end, OSError where none can be written.
    """
    with explained(path, "make room there or choose another folder"), appearing(path) as partial:
        yield partial
        refuse_existing(path)


def write_whole(path: Path, content: bytes | memoryview | str) -> None:
    """Write a file so that it is there whole or not at all, also when the disk fills up or the process is killed."""
    try:
        with appearing(path) as partial:
            partial.write_bytes(bytes_of(content))
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}; what was there before is kept") from error


def bytes_of(content: bytes | memoryview | str) -> bytes | memoryview:
    """In UTF-8; a path's bytes that the locale has no letters for are what they were."""
    if not isinstance(content, str):
        return content
    try:
        return content.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half a letter, as JSON can hold
        return content.encode(errors="backslashreplace")


def path_text(path: Path) -> str:
    """The path as UTF-8 has it, whatever the locale."""
    return os.fsencode(path).decode(errors="replace")


def write_json(path: Path, value: Any) -> None:
    write_whole(path, json_text(value))


def json_text(value: Any) -> str:
    """As all our files have it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read_whole(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """The content of a file. ValueError where it is a pipe, a device or a folder, or larger than `most` bytes.

    Nothing is waited for, which a pipe in a file's place would have one do.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise ValueError(f"{path.name} is no plain file")
    with os.fdopen(number, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} has more than {size_text(most)}")
    return content


def read_json(path: Path, default: Any) -> Any:
    """The file's content, or `default` when there is no such file. Raises ValueError when it holds no JSON."""
    try:
        return parsed_json(read_whole(path))
    except FileNotFoundError:
        return default
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run the command again") from None


def parsed_json(content: bytes) -> Any:
    """What JSON says the bytes are. Raises ValueError where they are none."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("its lists lie too deep in each other") from None


@contextmanager
def explained(path: Path, fix: str) -> Iterator[None]:
    """Errors of the file system as an OSError of one line: the file, the reason, the fix."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(f"cannot write {path}: {error.strerror or os.strerror(error.errno)}; {fix}") from error


def check_working_folder() -> None:
    """FileNotFoundError where the folder in which the command was typed is no more: relative paths lead nowhere."""
    try:
        os.getcwd()  # noqa: PTH109 - the system's own answer
    except FileNotFoundError:
        raise FileNotFoundError("the folder in which this was typed is gone, deleted or moved; cd to another") from None


def refuse_existing(path: Path) -> None:
    """FileExistsError where something has that name."""
    if path.exists():
        raise FileExistsError(f"{path} is already there; remove it or choose another name")


def require_room(folder: Path, num_bytes: int) -> None:
    """OSError, as of a full disk, where the folder's disk has less room; before hours of work, and not after."""
    free = shutil.disk_usage(folder).free
    if free < num_bytes:
        room = f"{size_text(num_bytes)} are needed and {size_text(free)} free"
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}, {room}")


def refuse_growth(name: str, num_bytes: int, stored: int) -> None:
    """ValueError where something would grow, as it is unpacked, more than the compression of zip and HDF5 can have
    made it smaller: most of it is not there at all, and it would fill the disk or the memory.
    """
    if num_bytes > _GROWN and num_bytes > _MOST_GROWTH * stored:
        raise ValueError(f"{name} would be {size_text(num_bytes)} of {size_text(stored)}, more than any data become")


def size_text(num_bytes: int) -> str:
    """As people say it: 26.3 MB."""
    for unit, worth in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= worth:
            return f"{num_bytes / worth:.3g} {unit}" if num_bytes < 1000 * worth else f"{num_bytes / worth:,.0f} {unit}"
    return f"{num_bytes} bytes"


def remove_empty(folder: Path, *, up_to: Path) -> None:
    """Remove the folder, and those that it alone was in, where nothing is in them; `up_to` and what holds it stay."""
    with suppress(OSError):
        while folder.resolve().is_relative_to(up_to.resolve()) and folder.resolve() != up_to.resolve():
            folder.rmdir()
            folder = folder.parent
