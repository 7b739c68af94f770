"""What a user's images are known by, wherever they lie: hashes of their file's arrays, or of their folder's files."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from disent_runner.datasets.custom import stored_name
from disent_runner.datasets.readers.array_files import StoredArray
from disent_runner.datasets.readers.labelled_arrays import OPENERS, UNREADABLE, array_names, images_name
from disent_runner.datasets.readers.picture_folder import folder_digests, listed
from disent_runner.machine.digests import file_sha256, remembered, touched

PARTS = ("content", "labels")
"""Of a file or folder: its images, and all else that is read of it."""
_DIGITS = 16


def contents_of(path: str | None, part: str, data_dir: Path) -> str | None:
    """Hash of a part of the file or folder; None where there is none, which whoever reads it says better.

    It is remembered in `data_dir`. A file that is no file of arrays is hashed as it is. A folder is looked through once
    in a process.
    """
    file = None if path is None else Path(str(path)).expanduser().resolve()
    if file is None or not (file.is_file() or file.is_dir()):
        return None
    return _contents(file, data_dir, _state(file))[part]


def _state(file: Path) -> str:
    """What changes whenever the file does, or a file in the folder."""
    return _state_of_folder(file) if file.is_dir() else repr(touched(file))


@lru_cache
def _state_of_folder(folder: Path) -> str:
    return listed(folder).touched


@lru_cache
def _contents(file: Path, data_dir: Path, state: str) -> dict[str, str]:
    return remembered(state, data_dir / f".{stored_name(file)}.contents", lambda: _digests(file))


def _digests(file: Path) -> dict[str, str]:
    digests = {part: hashlib.sha256() for part in PARTS}
    for part, content in folder_digests(file) if file.is_dir() else _array_digests(file):
        digests[part].update(content)
    return {part: digest.hexdigest()[:_DIGITS] for part, digest in digests.items()}


def _array_digests(file: Path) -> Iterator[tuple[str, bytes | memoryview]]:
    names = _names(file)
    images = images_name(file, names)
    for name in names:
        part, ours = ("content", "images") if name == images else ("labels", name)
        try:
            for piece in _parts(OPENERS[file.suffix](file, name), ours):
                yield part, piece
        except UNREADABLE:
            yield part, file_sha256(file).encode()


def _names(file: Path) -> list[str]:
    """Of all arrays; of a file that is none of arrays, the names that it should have."""
    try:
        return sorted(array_names(file))
    except UNREADABLE:
        return ["factors", "images"]


def _parts(array: StoredArray, name: str) -> Iterable[bytes | memoryview]:
    yield f"{name} {array.dtype} {array.shape} ".encode()
    for block in array.blocks():
        is_plain = block.dtype.kind in "biufc"
        yield np.ascontiguousarray(block).data if is_plain else repr(block.tolist()).encode()
