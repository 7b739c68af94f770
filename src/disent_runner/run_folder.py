"""The folder of one run: its name, its lock, files that are written whole, and what the stages left in it."""

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

IDENTITY = ("model", "dataset", "trainer.max_steps", "trainer.precision")
"""What changes the numbers; the model's node holds its network, likelihood and optimizer once resolved."""
ELSEWHERE = frozenset({"data_dir", "check_hash"})
"""Where things lie on this machine: no part of a run's identity."""
_PROBED = 1.0
"""Seconds for which a lock is waited for: `is_held` takes it for a moment."""


def run_id(config: DictConfig) -> str:
    """Eight hex digits that are equal for two configs exactly when their numbers are (seed aside)."""
    identity = {key: canonical(plain(OmegaConf.select(config, key))) for key in IDENTITY}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]


def codes_folder(path: Path) -> Path:
    """Where codes of other people are scored, below output_root; by content, so that a changed file is another one.

    Raises FileNotFoundError where there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"representation={path}: no such file")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Path("representations", path.stem, digest[:8])


def plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def canonical(value: Any) -> Any:
    """`beta: 4` and `beta: 4.0` are one setting."""
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in value.items() if key not in ELSEWHERE}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class RunInUse(RuntimeError):
    """Another process works on the run."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder for this process. The lock ends with the process, however that ends.

    Raises RunInUse when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=_PROBED)
    owner = folder / ".owner"
    try:
        lock.acquire()
    except Timeout:
        holder = owner.read_text().strip() if owner.exists() else "unknown"
        raise RunInUse(
            f"{folder} is in use by another process ({holder}); wait for it, or change a setting or the seed"
        ) from None
    try:
        owner.write_text(f"pid {os.getpid()} on {socket.gethostname()}\n")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a process works in the folder now."""
    if not (folder / ".lock").exists():
        return False
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def write_whole(path: Path, content: bytes | memoryview | str) -> None:
    """Write a file so that it is there whole or not at all, also when the disk fills up or the process is killed."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}; what was there before is kept") from error
    directory = os.open(path.parent, os.O_RDONLY)
    with suppress(OSError):  # some network file systems do not sync directories
        os.fsync(directory)
    os.close(directory)


def write_json(path: Path, value: Any) -> None:
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path, default: Any) -> Any:
    """The file's content, or `default` when there is no such file. Raises ValueError when it holds no JSON."""
    if not path.exists():
        return default
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run the command again") from None
