"""What `disent-report` prints: the table as wide as the terminal, then what does not count and why."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from disent_runner.machine.console import console
from disent_runner.machine.texts import printable
from disent_runner.report.pooling import count_of
from disent_runner.report.report import Report
from disent_runner.report.tables import heads

MOST_ROWS = 40
MOST_LINES = 20


def say(report: Report, out: Path) -> None:
    """Print the table in as many pieces as it needs, a line for each thing left out, and where the files are."""
    rows = report.formatted.head(MOST_ROWS)
    for columns in pieces(rows, report.directions, console.width):
        console.print(_table(rows, report, columns))
    if len(report.formatted) > MOST_ROWS:
        print(f"… and {len(report.formatted) - MOST_ROWS} more settings in {out / 'table.md'}")
    for omission in report.omissions[:MOST_LINES]:
        print(printable(f"left out: {omission.folder}: {omission.reason}"))
    if len(report.omissions) > MOST_LINES:
        print(f"left out: {len(report.omissions) - MOST_LINES} more, see {out / 'left_out.csv'}")
    for note in report.notes:
        print(printable(f"note: {note}"))
    settings = len(report.formatted)
    print(f"{count_of(len(report.runs))} of {settings} setting{'s' * (settings != 1)}: {out / 'index.html'}")


def pieces(formatted: pd.DataFrame, directions: dict[str, str | None], width: int) -> Iterator[list[int]]:
    """Columns of tables that fit the width, each with the settings and n; the order is kept."""
    names = heads(formatted, directions)
    widths = [max(len(head), *(len(text) for text in formatted.iloc[:, place])) + 3 for place, head in enumerate(names)]
    last = list(formatted.columns).index("n")
    settings, room = list(range(last + 1)), width - sum(widths[: last + 1]) - 1
    piece: list[int] = []
    for place in range(last + 1, len(names)):
        if piece and sum(widths[number] for number in [*piece, place]) > room:
            yield settings + piece
            piece = []
        piece.append(place)
    yield settings + piece


def _table(formatted: pd.DataFrame, report: Report, columns: Sequence[int]) -> Table:
    names = heads(formatted, report.directions)
    last = list(formatted.columns).index("n")
    table = Table(*(escape(printable(names[place])) for place in columns))
    for column, place in zip(table.columns, columns, strict=True):
        column.justify = "right" if place >= last else "left"
        column.overflow = "fold"  # several keys may begin alike
    for texts, best in zip(formatted.to_numpy(), report.best.to_numpy(), strict=False):
        table.add_row(*(Text(printable(texts[place]), style="bold" if best[place] else "") for place in columns))
    return table
