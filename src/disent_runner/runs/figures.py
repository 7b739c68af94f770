"""figures/: the pictures of a run, and index.json, which says how each was made."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disent_runner.machine.files import json_text, read_json
from disent_runner.runs.checksums import fit, write_files

log = logging.getLogger(__name__)

FOLDER = "figures"
INDEX = f"{FOLDER}/index.json"
TYPES = {".png": "image/png", ".gif": "image/gif"}
"""Kinds of pictures by the ending of their names."""
_SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".gif": b"GIF8"}
FIRST = ("traversals", "reconstructions", "samples")
"""Pictures that come before all others, by how their names begin."""


def read_index(folder: Path) -> dict[str, Any]:
    """How each figure was made whose pictures are there, by name; nothing of a damaged index."""
    try:
        index = read_json(folder / INDEX, default={})
    except ValueError as error:
        log.warning("%s; its figures are drawn again", error)
        return {}
    if not isinstance(index, dict):
        return {}
    return {name: making for name, making in index.items() if isinstance(making, dict) and _are_there(folder, making)}


def _are_there(folder: Path, making: Mapping[str, Any]) -> bool:
    return fit(folder, [f"{FOLDER}/{name}" for name in making.get("pictures", [])])


def write_index(folder: Path, index: Mapping[str, Any]) -> None:
    write_files(folder, {INDEX: json_text(dict(index))})


def write_picture(folder: Path, name: str, content: bytes) -> None:
    """A picture whose name ends as one of TYPES."""
    write_files(folder, {f"{FOLDER}/{name}": content})


def picture(folder: Path, name: str) -> Path:
    """Where the run's picture of that name lies, if it has it."""
    return folder / FOLDER / name


def picture_files(folder: Path) -> list[Path]:
    """Pictures of a run, those that move before those that do not; none where it has no such folder.

    A link is none, nor what only has a picture's name: a page that holds the files would hold what they lead to.
    """
    if (folder / FOLDER).is_symlink():
        return []
    try:
        with os.scandir(folder / FOLDER) as entries:
            files = [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
        paths = [path for path in files if path.suffix in TYPES and _begins(path, _SIGNATURES[path.suffix])]
    except OSError:
        return []
    return sorted(paths, key=lambda path: ((*FIRST, "").index(kind(path)), path.suffix, path.name))


def _begins(path: Path, signature: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(signature)) == signature


def kind(path: Path) -> str:
    """Which of FIRST a picture is; empty for the others."""
    return next((start for start in FIRST if path.name.startswith(start)), "")
