"""The one terminal that messages, bars and tables share."""

import logging
from contextlib import suppress
from multiprocessing import parent_process

from rich.console import Console

from disent_runner.machine.texts import printable

console = Console(force_interactive=None if parent_process() is None else False)
"""Without bars in a process of a launcher: several would draw theirs over each other."""


class Formatter(logging.Formatter):
    """Log messages, on the terminal and in run.log, without what a terminal obeys: names are what others wrote."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).splitlines()))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """Ours in one line; libraries, and tracebacks, have several."""
        if record.name.startswith("disent_runner"):
            record.message = printable(record.message)
        return super().formatMessage(record)


class Handler(logging.Handler):
    """Log messages through the shared console, so that they do not tear the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        style = {logging.WARNING: "yellow", logging.ERROR: "bold red"}.get(record.levelno, "")
        console.print(self.format(record), style=style, markup=False, highlight=False, soft_wrap=True)


class LogFile(logging.FileHandler):
    """A log that does without its file where that cannot be written: the disk is full, or the folder read-only."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: a traceback of the logging would hide what happened."""
