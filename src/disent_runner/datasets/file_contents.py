"""What a user's file of images is known by, wherever it lies: the hashes of its arrays."""

import hashlib
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from disent_runner.datasets.custom import OPENERS, array_names, stored_name
from disent_runner.datasets.readers.array_files import StoredArray
from disent_runner.machine.digests import file_sha256, remembered

PARTS = ("content", "labels")
"""Of a file: the array of images, and all its other arrays."""
_DIGITS = 16
_UNREADABLE = (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile)
"""Arrays of other kinds, and damaged ones."""


def contents_of(path: str | None, part: str, data_dir: Path) -> str | None:
    """Hash of a part of the file; None where there is no such file, which whoever reads it says better.

    It is remembered in `data_dir`. A file that is no file of arrays is hashed as it is.
    """
    file = None if path is None else Path(str(path)).expanduser().resolve()
    if file is None or not file.is_file():
        return None
    status = file.stat()
    return _contents(file, data_dir, status.st_mtime_ns, status.st_ctime_ns, status.st_size)[part]


@lru_cache
def _contents(file: Path, data_dir: Path, *_touched: int) -> dict[str, str]:
    return remembered(file, data_dir / f".{stored_name(file)}.contents", lambda: _digests(file))


def _digests(file: Path) -> dict[str, str]:
    digests = {part: hashlib.sha256() for part in PARTS}
    for name in _names(file):
        digest = digests["content" if name == "images" else "labels"]
        try:
            for part in _parts(OPENERS[file.suffix](file, name)):
                digest.update(part)
        except _UNREADABLE:
            digest.update(file_sha256(file).encode())
    return {part: digest.hexdigest()[:_DIGITS] for part, digest in digests.items()}


def _names(file: Path) -> list[str]:
    """Of all arrays; of a file that is none of arrays, the names that it should have."""
    try:
        return sorted(array_names(file))
    except _UNREADABLE:
        return ["factors", "images"]


def _parts(array: StoredArray) -> Iterator[bytes | memoryview]:
    yield f"{array.name} {array.dtype} {array.shape} ".encode()
    for block in array.blocks():
        is_plain = block.dtype.kind in "biufc"
        yield np.ascontiguousarray(block).data if is_plain else repr(block.tolist()).encode()
