"""Tables as Markdown."""

import re
from collections.abc import Iterable, Sequence

from disent_runner.machine.texts import printable

_SPECIAL = re.compile(r"([\\|*<>`\[\]$&~]|(?<![^\W_])_|_(?![^\W_]))")
"""What begins or ends anything but text: an underscore between letters does not."""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of a GitHub table of cells that are Markdown themselves."""
    return "".join(f"{markdown_row(cells)}\n" for cells in (head, ["---"] * len(head), *rows))


def markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_text(text: str) -> str:
    """A text that shows as it is, in one line: no link, no picture, no HTML comes of it."""
    return _SPECIAL.sub(r"\\\1", printable(" ".join(text.split())))
