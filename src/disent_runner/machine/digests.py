"""Hashes of files' contents, taken once as long as nothing touches the files."""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from disent_runner.machine.files import read_json, write_json


def remembered(state: str, note: Path, take: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What `take()` says of some content, or said before of the same `state` of it, such as what `touched` is.

    It is kept in the file `note`; where that cannot be written it is taken each time. Raises what `take` does.
    """
    noted = _noted(note)
    if noted.get("of") != state:
        noted = {"of": state, "digests": take()}
        _write(note, noted)
    return noted["digests"]


def is_as_noted(path: Path, note: Path, is_sound: Callable[[], bool]) -> bool:
    """Whether the file's bytes are those that the note was taken of, which are read only where it was touched since.

    Without a note `is_sound()` says it, and a note is made.
    """
    noted, state = _noted(note), touched(path)
    if noted.get("of") == state:
        return True
    digest = file_sha256(path)
    is_same = noted["digests"].get("sha256") == digest if noted else is_sound()
    if is_same:
        _write(note, {"of": state, "digests": {"sha256": digest}})
    return is_same


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _noted(note: Path) -> dict[str, Any]:
    """What the note says; empty where there is none, or where it is not as it was written."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = read_json(note, default={})
        if content.pop("check") == _check(content):
            return content
    return {}


def _write(note: Path, content: Mapping[str, Any]) -> None:
    if note.parent.is_dir():
        with suppress(OSError):
            write_json(note, {**content, "check": _check(content)})


def _check(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def touched(path: Path) -> list[int]:
    """Size, times and inode: what changes whenever something writes to the file or puts another in its place."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
