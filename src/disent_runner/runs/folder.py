"""The folder of one run: held by one process at a time, and found below others."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from disent_runner.machine.files import explained, unfinished

_LOCK, _OWNER = ".lock", ".owner"
_PROBED = 1.0
"""Seconds for which a lock is waited for: `is_held` takes it for a moment."""
_SIGNS = frozenset({"config.yaml", "status.json", _LOCK})
"""What a run leaves in its folder, the last two before its config.yaml."""
_NOT_ENTERED = frozenset({"report", "checkpoints", "figures"})


class RunInUse(RuntimeError):
    """Another process works on the run."""


def run_folder_of(run: str) -> Path:
    """The run folder that a path means: itself, or the one that a checkpoint lies in.

    Raises FileNotFoundError where there is no run.
    """
    path = Path(run)
    folder = path.parent.parent if path.suffix == ".pt" else path
    if not (folder / "config.yaml").is_file() or not path.exists():
        raise FileNotFoundError(f"run={run}: no run there; name a folder that holds config.yaml, or a checkpoint in it")
    return folder.resolve()


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder for this process. The lock ends with the process, however that ends.

    Raises RunInUse when another process holds it.
    """
    lock = FileLock(folder / _LOCK, timeout=_PROBED)
    owner = folder / _OWNER
    try:
        with explained(folder / _LOCK, "set output_root to a folder where files can be written and locked"):
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
    except Timeout:
        holder = owner.read_text(encoding="utf-8").strip() if owner.exists() else "unknown"
        raise RunInUse(
            f"{folder} is in use by another process ({holder}); wait for it, or change a setting or the seed"
        ) from None
    try:
        owner.write_text(f"pid {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        _tidy(folder)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _tidy(folder: Path) -> None:
    """Remove what processes that were killed left half written; nobody else writes in the folder now."""
    for place in ("", "checkpoints", "figures"):
        for partial in unfinished(folder / place):
            partial.unlink(missing_ok=True)


def is_held(folder: Path) -> bool:
    """Whether a process works in the folder now, which may be one to be read only."""
    try:
        with (folder / _LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # never begun, or nothing that can be locked
        return False
    return False


def folders_below(root: Path, seen: set[tuple[int, int]] | None = None) -> Iterator[Path]:
    """Run folders in the folder, itself included, each once, whatever links lead there, and those that cannot be read.

    `seen`: what earlier calls came to, by device and inode, which is passed over and added to.
    """
    yield from _below(str(root), set() if seen is None else seen)


def _below(folder: str, seen: set[tuple[int, int]]) -> Iterator[Path]:
    facts = Path(folder).stat()
    if (facts.st_dev, facts.st_ino) in seen:
        return
    seen.add((facts.st_dev, facts.st_ino))
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except PermissionError:
        yield Path(folder)  # and reading it says why
        return
    if any(entry.name in _SIGNS for entry in listed):
        yield Path(folder)
        return
    for entry in listed:
        if entry.name not in _NOT_ENTERED and not entry.name.startswith(".") and entry.is_dir():
            yield from _below(entry.path, seen)
