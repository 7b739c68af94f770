"""The pictures of a page: which a run has, in which order, and whether they lie in the page or beside it."""

import base64
import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from disent_runner.report.run import Run
from disent_runner.runs.figures import TYPES, kind, picture_files

Address = Callable[[Path], str]
"""What stands as `src` of a picture."""

MOST_BYTES = 16 * 2**20
"""Size of picture files up to which a page holds them itself."""


def pictures(folder: Path, address: Address) -> list[dict[str, str]]:
    """Title, kind and address of each picture of a run: traversals, reconstructions, samples, then all others."""
    return [
        {"title": path.stem.replace("_", " "), "kind": kind(path), "src": address(path)}
        for path in picture_files(folder)
    ]


def stills(folder: Path, address: Address) -> dict[str, tuple[int, str | None]]:
    """Of each kind the first picture that does not move: its place among the run's `pictures`, and its address where
    it lies beside the page.
    """
    first: dict[str, tuple[int, str | None]] = {}
    for place, path in enumerate(picture_files(folder)):
        if kind(path) and path.suffix == ".png":
            first.setdefault(kind(path), (place, None if address is inlined else address(path)))
    return first


def addresses(plots: Sequence[Path], runs: Sequence[Run], out: Path) -> tuple[Address, Address]:
    """How the page in the folder `out` refers to plots, and to pictures of runs: it holds them while they are small."""
    beside = partial(linked, out=out.resolve())
    size = _size(plots, MOST_BYTES)
    with_runs = size + _size((path for run in runs for path in picture_files(run.folder)), MOST_BYTES - size)
    return (inlined if size <= MOST_BYTES else beside, inlined if with_runs <= MOST_BYTES else beside)


def _size(paths: Iterable[Path], most: int) -> int:
    """Bytes of the files; no more are looked at once they are more than `most`."""
    size = 0
    for path in paths:
        size += path.stat().st_size
        if size > most:
            break
    return size


def inlined(path: Path) -> str:
    """The picture itself, as data URI."""
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def linked(path: Path, out: Path) -> str:
    """The address of a file for a page in the folder `out`, which is absolute and has no links in it."""
    return f"{_way(path.parent, out)}/{_quoted(path.name)}"


@lru_cache
def _way(folder: Path, out: Path) -> str:
    return _quoted(os.path.relpath(folder.resolve(), out).replace(os.sep, "/"))


def _quoted(text: str) -> str:
    return quote(text, errors="surrogateescape")
