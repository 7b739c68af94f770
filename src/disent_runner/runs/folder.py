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

    Raises FileNotFoundError where there is no run, ValueError as `refuse_links`.
    """
    path = Path(run)
    folder = path.parent.parent if path.suffix == ".pt" else path
    if not (folder / "config.yaml").is_file() or not path.exists():
        raise FileNotFoundError(f"run={run}: no run there; name a folder that holds config.yaml, or a checkpoint in it")
    refuse_links(folder)
    return folder.resolve()


def refuse_links(folder: Path) -> None:
    """ValueError where a run folder holds, in place of a file or of its pictures, a link, a pipe or a device.

    What is written to it would end up elsewhere, and one may have been sent the folder. Other folders in it may be
    links: checkpoints lie on another disk at times.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            is_plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=entry.name != "figures")
            if not is_plain:
                raise ValueError(f"{folder}: {entry.name} is no plain file or folder, but a link or a pipe; remove it")


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder for this process. The lock ends with the process, however that ends.

    Raises RunInUse when another process holds it, ValueError as `refuse_links`.
    """
    lock = FileLock(folder / _LOCK, timeout=_PROBED)
    owner = folder / _OWNER
    try:
        with explained(folder / _LOCK, "set output_root to a folder where files can be written and locked"):
            folder.mkdir(parents=True, exist_ok=True)
            refuse_links(folder)
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
        number = os.open(folder / _LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # never begun
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nothing that can be locked
        return False
    finally:
        os.close(number)
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
