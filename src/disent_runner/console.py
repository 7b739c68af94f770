"""The one terminal that messages, bars and tables share."""

import logging

from rich.console import Console

console = Console()


class Handler(logging.Handler):
    """Log messages through the shared console, so that they do not tear the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        style = {logging.WARNING: "yellow", logging.ERROR: "bold red"}.get(record.levelno, "")
        console.print(self.format(record), style=style, markup=False, highlight=False, soft_wrap=True)
