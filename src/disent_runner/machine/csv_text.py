"""Tables as CSV that a spreadsheet may open: what others wrote stays text."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from disent_runner.machine.texts import is_number, printable

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet computes; the last four are the wide forms of the first."""


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows of numbers, texts and None, the head line among them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A number as it is; a text that would be computed behind an apostrophe, which spreadsheets do not show."""
    if value is None or isinstance(value, float | int):
        return value
    text = printable(str(value))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) and not is_number(text) else text
