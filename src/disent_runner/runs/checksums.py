"""checksums.json: what the other files of a run folder held when they were written, so that a changed byte is noticed.

A file of an earlier version has no entry and is taken as it is.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from disent_runner.machine.files import MOST_BYTES, bytes_of, read_json, read_whole, write_json, write_whole

FILE = "checksums.json"
_WHOLE, _START = "bytes", "first_bytes"
"""How many bytes an entry is of: all of a file, or those that a growing one had."""

_PASSING = "checkpoints/"
"""Files that go while a run goes on."""

Content = bytes | memoryview | str


def write_files(folder: Path, contents: Mapping[str, Content], *, growing: Sequence[str] = ()) -> None:
    """Write files of the folder, each whole or not at all, and vouch for them; of a `growing` one for what it has now.

    Their entries come first and what was there before stays good beside them, so that a kill between two writes leaves
    no file that looks damaged.
    """
    before = _read(folder).items()
    entries = {name: old for name, old in before if not name.startswith(_PASSING) or (folder / name).exists()}
    for name, content in contents.items():
        new = _entry(bytes_of(content), _START if name in growing else _WHOLE)
        entries[name] = [*(old for old in entries.get(name, []) if old != new and _is(folder / name, old)), new]
    for name in growing:
        if name not in contents and (folder / name).exists():
            entries[name] = [_entry(_synced(folder / name), _START)]
    write_json(folder / FILE, entries)
    for name, content in contents.items():
        write_whole(folder / name, content)


def read_file(folder: Path, name: str, *, most: int = MOST_BYTES) -> bytes:
    """The file's content. Raises ValueError where it is not what was written or as `read_whole`, OSError where it
    cannot be read.
    """
    entries = _read(folder).get(name, [])  # before the content, which may grow meanwhile
    content = read_whole(folder / name, most=most)
    if entries and not any(_fits(content, entry) for entry in entries):
        raise ValueError("it is not what was written (its bytes are others)")
    return content


def changed_bytes(folder: Path, name: str, content: bytes) -> bool:
    """Whether the file has its length and other bytes, as damage leaves it; what a person rewrites has another one."""
    entries = _read(folder).get(name, [])
    is_known = any(_fits(content, entry) for entry in entries)
    return not is_known and any(entry.get(_WHOLE) == len(content) for entry in entries)


def is_known(folder: Path, name: str) -> bool:
    """Whether there was such a file."""
    return name in _read(folder)


def whole(folder: Path) -> list[str]:
    """Files that are known, and are what was written; without those of checkpoints."""
    entries = _read(folder)
    return [name for name in entries if not name.startswith(_PASSING) and _fits_one(folder, name, entries)]


def fit(folder: Path, names: Iterable[str], *, by_size: Callable[[str], bool] = lambda name: False) -> bool:
    """Whether the files are there and are what was written, or have its size where that is enough for the name; any
    file that is not known is.
    """
    entries = _read(folder)
    return all(_fits_one(folder, name, entries, by_size=by_size(name)) for name in names)


def _fits_one(
    folder: Path, name: str, entries: Mapping[str, Sequence[Mapping[str, Any]]], *, by_size: bool = False
) -> bool:
    path, known = folder / name, entries.get(name)
    return path.exists() and (not known or any(_is(path, entry, by_size=by_size) for entry in known))


def forget(folder: Path, name: str) -> None:
    """Vouch no longer for a file."""
    entries = _read(folder)
    if entries.pop(name, None) is not None:
        write_json(folder / FILE, entries)


def _read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Entries of each file; none where there is no such file, or where it is damaged: it vouches for nothing then."""
    try:
        entries = read_json(folder / FILE, default={})
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {
        name: listed
        for name, listed in entries.items()
        if isinstance(listed, list) and listed and all(isinstance(entry, dict) for entry in listed)
    }


def _entry(content: bytes | memoryview, key: str) -> dict[str, Any]:
    return {key: len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _is(path: Path, entry: Mapping[str, Any], *, by_size: bool = False) -> bool:
    try:
        size = path.stat().st_size
        if entry.get(_WHOLE, size) != size:
            return False
        with path.open("rb") as file:
            if _WHOLE in entry:  # such as a checkpoint, which need not be in memory twice
                return by_size or hashlib.file_digest(file, "sha256").hexdigest() == entry.get("sha256")
            return _fits(file.read(), entry)
    except OSError:
        return False


def _fits(content: bytes, entry: Mapping[str, Any]) -> bool:
    size = entry.get(_START, len(content))
    if entry.get(_WHOLE, size) != size or not isinstance(size, int):
        return False
    return hashlib.sha256(memoryview(content)[:size]).hexdigest() == entry.get("sha256")


def _synced(path: Path) -> bytes:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        return file.read()
