"""Files that appear whole or not at all, and what to do where they cannot."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def explained(path: Path, fix: str) -> Iterator[None]:
    """Errors of the file system as an OSError of one line: the file, the reason, the fix."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(f"cannot write {path}: {error.strerror or os.strerror(error.errno)}; {fix}") from error


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Another name to write the file under; it gets its own when all is written.

    FileExistsError where there is such a file by then, OSError where none can be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with explained(path, "make room there or choose another folder"):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            refuse_existing(path)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """FileExistsError where something has that name."""
    if path.exists():
        raise FileExistsError(f"{path} is already there; remove it or choose another name")
