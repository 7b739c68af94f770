"""Tables as Markdown."""

from collections.abc import Iterable, Sequence

_SPECIAL = "\\|*<>`"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of a GitHub table of cells that are Markdown themselves."""
    return "".join(f"{markdown_row(cells)}\n" for cells in (head, ["---"] * len(head), *rows))


def markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_text(text: str) -> str:
    """A text that shows as it is, in one line."""
    for character in _SPECIAL:
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
