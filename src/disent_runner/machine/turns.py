"""One process after the other, where all of them would make the same file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from disent_runner.machine.files import explained

SECONDS_OF_SILENCE = 1.0
"""After which a process that waits says for what."""

logger = logging.getLogger("disent_runner")


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Hold the lock beside a file of the data folder; another process that has it is waited for, which is said.

    Raises OSError of one line where the file system has no locks. The lock ends with its process, however that ends.
    """
    lock = FileLock(f"{path}.lock")
    with explained(path, "set data_dir to a folder where files can be written and locked"):
        try:
            lock.acquire(timeout=SECONDS_OF_SILENCE)
        except Timeout:
            logger.info("waiting for another process, which is making %s", path)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()
