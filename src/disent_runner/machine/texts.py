"""Texts that others wrote, such as the names of factors: as they are printed and drawn, and in names of files."""

import hashlib
import re
import textwrap
import unicodedata

_NOT_IN_FILES = re.compile(r"[^\w.-]+")
_MOST_BYTES = 100
"""Of a part of a file's name: what is put around it, while it is written too, still fits into the usual 255."""


def printable(text: str, most: int | None = None) -> str:
    """The text in one line, as it is but for what a terminal or a page obeys: that is written as its escape.

    Control characters, ends of lines, those that turn the direction of writing and halves of characters are such.
    More than `most` characters are cut, with a sign that they were.
    """
    if not text.isprintable():
        text = "".join(character if _is_seen(character) else _escape(character) for character in text)
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def counted(number: int, noun: str) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def hanging(head: str, text: str, columns: int | None = None) -> str:
    """The text behind its head; what is longer than the columns goes on below itself, None: in one line."""
    if columns is None:
        return f"{head}{text}".rstrip()
    wrapper = textwrap.TextWrapper(columns, head, " " * len(head), break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(text) or head.rstrip()


def file_stem(name: str) -> str:
    """The name as a part of a file's name: itself where it is letters, digits, `_`, `-` and inner dots, and not long.

    Any other gets a hash at its end, so that two names are never one file, and none leads to another folder.
    """
    plain = _NOT_IN_FILES.sub("_", name).strip(".")
    plain = plain.encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore")
    if plain == name and name:
        return name
    return f"{plain}_{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}".lstrip("_.")


def _is_seen(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def is_number(text: str) -> bool:
    """Whether the text spells a number, NaN and infinity too."""
    try:
        float(text)
    except ValueError:
        return False
    return True
