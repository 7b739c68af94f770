"""Checkpoints as files of a run folder: which there are, and whether they are whole. To look at that needs no torch."""

import zipfile
from fnmatch import fnmatch
from pathlib import Path

from disent_runner.runs import checksums


def checkpoint_path(folder: Path, step: int) -> Path:
    return folder / "checkpoints" / f"step={step:09d}.pt"


def newest_checkpoint(folder: Path) -> Path | None:
    """Where it is, whole or not; None where the folder has none. OSError where that is unreadable."""
    return next(iter(checkpoint_paths(folder)), None)


def checkpoint_paths(folder: Path) -> list[Path]:
    """The folder's checkpoints, newest first; none where it has no place for them. OSError where that is unreadable."""
    try:
        paths = list((folder / "checkpoints").iterdir())  # not glob, to which an unreadable folder is an empty one
    except FileNotFoundError:
        return []
    return sorted((path for path in paths if fnmatch(path.name, "step=*.pt")), reverse=True)


def remove_torn(folder: Path) -> bool:
    """Whether the folder had checkpoints of which none is whole: they are gone, and training begins anew."""
    paths = checkpoint_paths(folder)
    if not paths or any(map(is_whole, paths)):
        return False
    for path in paths:
        path.unlink()
    return True


def is_written(path: Path) -> bool:
    """Whether it has the bytes that were written, where its folder says what those were."""
    return checksums.fit(path.parent.parent, [f"{path.parent.name}/{path.name}"])


def is_whole(path: Path) -> bool:
    """False for a truncated or damaged archive; a file that is no archive at all is left to `load_checkpoint`."""
    if not is_written(path):
        return False
    with path.open("rb") as file:
        if file.read(2) not in (b"PK", b""):
            return True
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError):  # the last two of changed names and methods
        return False
