"""What a terminal can print."""

import io
import sys


def any_characters() -> None:
    """What the terminal's character set lacks is printed as a question mark; nothing that is done ends with it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
