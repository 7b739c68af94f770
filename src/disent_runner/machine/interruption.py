"""Signals that ask the program to stop: it ends at once, or, where it says so, after the step under way."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

OF_A_TERMINAL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OF_A_CLUSTER = (signal.SIGUSR2, signal.SIGUSR1)
"""What SLURM is asked to send some time before it kills."""

_later: Callable[[int], None] | None = None


class Interrupted(SystemExit):
    """The program was stopped from outside, in training after a whole step and its checkpoint.

    Nothing that goes on after errors goes on after this; its exit code is a shell's, 128 + signal.
    """

    def __init__(self, signum: int, step: int | None = None) -> None:
        super().__init__(signum, step)
        self.code = 128 + signum
        self.signum = signum
        self.step = step

    def __str__(self) -> str:
        where = "" if self.step is None else f" after step {self.step}"
        return f"stopped by {signal.Signals(self.signum).name}{where}; the same command goes on from there"

    @property
    def passed_on(self) -> int | None:
        """The signal for whoever puts a cluster's job back into its queue and waits for it, whichever of two it is."""
        listened = [signum for signum in OF_A_CLUSTER if callable(signal.getsignal(signum))]
        return listened[0] if listened and self.signum in OF_A_CLUSTER else None


@contextmanager
def stoppable(signals: tuple[signal.Signals, ...] = (*OF_A_TERMINAL, *OF_A_CLUSTER)) -> Iterator[None]:
    """Signals raise `Interrupted` in here. Only the main thread has handlers: in another one nothing changes."""
    before: dict[signal.Signals, Any] = {signum: signal.getsignal(signum) for signum in signals}
    listen(signals)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for signum, handler in before.items():
                signal.signal(signum, handler or signal.SIG_DFL)


@contextmanager
def stopping_later(request: Callable[[int], None]) -> Iterator[None]:
    """What signals do in here, in a `stoppable` place: `request(signum)`."""
    global _later
    _later = request
    try:
        yield
    finally:
        _later = None


def listen(signals: tuple[signal.Signals, ...] = (*OF_A_TERMINAL, *OF_A_CLUSTER)) -> None:
    """Take the signals, from whoever has them; a terminal's end is nothing to a run that `nohup` began."""
    if threading.current_thread() is not threading.main_thread():
        return
    for signum in signals:
        if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, _heard)


def say_at_once(text: str) -> None:
    """A line on standard error from inside of a handler, where logs, consoles and files may be half way in a line."""
    with suppress(OSError):  # nobody reads it
        os.write(2, f"\n{text}\n".encode())


def _heard(signum: int, frame: FrameType | None) -> None:
    """One function for good: a handler that held a run would keep its model and files as long as others hold it."""
    if _later is None:
        raise Interrupted(signum)
    _later(signum)
