"""What commands print: it ends none of them, whoever reads it and whatever the terminal can show."""

import errno
import io
import os
import select
import sys
from typing import Any

_NOBODY_READS = frozenset({errno.EPIPE, errno.EIO, errno.ENXIO, errno.EBADF})
"""The reader, such as `head`, has left; the terminal was closed."""


class _Output(io.FileIO):
    """Standard output or error, where what nobody can read any more is dropped."""

    at_any_cost = False
    is_read = True
    before: io.TextIOWrapper | None = None
    """The stream that this one stands for, which would close the file once nothing refers to it."""

    def write(self, content: Any, /) -> int:
        try:
            while (count := super().write(content)) is None:  # others who have it made it one that does not wait
                select.select([], [self], [])
        except OSError as error:
            self.is_read = error.errno not in _NOBODY_READS
            if not (self.is_read and self.at_any_cost):
                _discard(self.fileno())  # for libraries and processes that are begun here too, and what is buffered
            if self.is_read and not self.at_any_cost:
                raise
            return memoryview(content).nbytes
        return count


def forgiving_output(*, at_any_cost: bool = False) -> None:
    """Nothing that is done ends because what it says has no reader any more, or no letters here: those become `?`.

    `at_any_cost`: nor because it cannot be written, such as to a log on a full disk; what is done is worth more.
    """
    _open_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        raw = _raw(stream)
        if type(stream) is io.TextIOWrapper and type(raw) is io.FileIO:
            stream.flush()
            setattr(sys, name, _forgiving(stream, _Output(stream.fileno(), "w", closefd=False)))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        if isinstance(raw := _raw(getattr(sys, name)), _Output):
            raw.at_any_cost = at_any_cost


def is_read() -> bool:
    """Whether standard output, as far as is known, still has a reader."""
    raw = _raw(sys.stdout)
    return not isinstance(raw, _Output) or raw.is_read


def _raw(stream: Any) -> Any:
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)


def _forgiving(stream: io.TextIOWrapper, raw: _Output) -> io.TextIOWrapper:
    raw.before = stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _open_closed() -> None:
    """Standard streams that were closed lead nowhere: else the next file that is opened would get what is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            _discard(number)
        if getattr(sys, name) is None:  # so it was when Python started
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def _discard(number: int) -> None:
    """What is written to the file of that number goes nowhere from now on."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)
