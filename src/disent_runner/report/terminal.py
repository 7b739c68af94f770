"""What `disent-report` prints: a line for each setting as wide as the terminal, then what does not count and why."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.table import Table
from rich.text import Text

from disent_runner.machine.console import console
from disent_runner.machine.texts import counted, printable
from disent_runner.report.pooling import count_of
from disent_runner.report.report import Report
from disent_runner.report.tables import heads

MOST_ROWS = 40
"""In all tables together, the first one aside."""
MOST_LINES = 20
_GAP = 2
_NUMBERS, _FEWEST_LETTERS = 4, 16
"""So many numbers shall stand beside each setting, whose name is folded for them down to so many letters."""
_NARROWEST_HEAD = 8


def say(report: Report, out: Path) -> None:
    """Print setting, n and as many numbers as fit, further numbers below while that stays short; verdicts; a line for
    each thing left out; and where the files are.
    """
    shown = _say_numbers(report)
    columns = list(report.formatted.columns)
    rest = columns[columns.index("n") + 1 + shown :]
    if rest:
        print(printable(f"… and {counted(len(rest), 'more number')} in {out / 'table.md'}: {', '.join(rest)}"))
    if len(report.formatted) > MOST_ROWS:
        print(f"… and {counted(len(report.formatted) - MOST_ROWS, 'more setting')} in {out / 'table.md'}")
    for verdict in report.verdicts:
        print(printable(f"verdict: {verdict.words} ({verdict.scale} size): {verdict.shows}; {verdict.folder}"))
    for omission in report.omissions[:MOST_LINES]:
        print(printable(f"left out: {omission.folder}: {omission.reason}"))
    if len(report.omissions) > MOST_LINES:
        print(f"left out: {len(report.omissions) - MOST_LINES} more, see {out / 'left_out.csv'}")
    for note in report.notes:
        print(printable(f"note: {note}"))
    print(f"{count_of(len(report.runs))} of {counted(len(report.formatted), 'setting')}: {out / 'index.html'}")


def _say_numbers(report: Report) -> int:
    """Print as many numbers as fit into a few tables; how many those are."""
    rows, places = min(len(report.formatted), MOST_ROWS), _number_places(report)
    shown = 0
    for number, piece in enumerate(pieces([_width(report, place) for place in places], _room(report))):
        if number > 0 and (number + 1) * rows > MOST_ROWS:
            break
        if number > 0:
            console.print()
        console.print(_table(report, [places[at] for at in piece]))
        shown += len(piece)
    return shown


def _number_places(report: Report) -> list[int]:
    columns = list(report.formatted.columns)
    return list(range(columns.index("n") + 1, len(columns)))


def pieces(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Places of numbers that stand side by side in so much room, in their order; one at least."""
    piece: list[int] = []
    for place, width in enumerate(widths):
        if piece and sum(widths[other] for other in piece) + width > room:
            yield piece
            piece = []
        piece.append(place)
    if piece:
        yield piece


def _room(report: Report) -> int:
    return console.width - _label_width(report) - _width(report, _number_places(report)[0] - 1)


def _label_width(report: Report) -> int:
    """What the longest name needs, as far as the first numbers leave it."""
    first = sum(_width(report, place) for place in _number_places(report)[:_NUMBERS])
    left = console.width - first - _width(report, _number_places(report)[0] - 1)
    groups = _by_data_set(report)
    longest = max(map(len, [*dict(groups), *(label for _, names in groups for _, label in names)]))
    return min(longest, max(left, _FEWEST_LETTERS))


def _width(report: Report, place: int) -> int:
    """Of a column of numbers with the gap before it."""
    cells = max((len(_short(text)) for text in report.formatted.iloc[:MOST_ROWS, place]), default=0)
    head = _head(heads(report.formatted, report.directions)[place], cells)
    return _GAP + max(cells, *map(len, head))


def _short(text: str) -> str:
    return printable(text).replace(" ± ", "±")


def _head(name: str, width: int) -> list[str]:
    """The name in lines of about so many letters: it breaks behind underscores."""
    parts = printable(name).replace("_", "_ ").split(" ")
    lines = [""]
    for part in parts:
        joined = lines[-1] + (" " if lines[-1] and not lines[-1].endswith("_") else "") + part
        if lines[-1] and len(joined) > max(width, _NARROWEST_HEAD):
            lines.append(part)
        else:
            lines[-1] = joined
    return lines


def _by_data_set(report: Report) -> list[tuple[str, list[tuple[int, str]]]]:
    """Rows and their labels, below the data set that these begin with and its source."""
    named = []
    for place, (setting, label) in enumerate(zip(report.settings[:MOST_ROWS], report.labels, strict=False)):
        name, source = setting.columns["dataset"], setting.columns["source"]
        named.append((f"{name} ({source})", place, printable(label.removeprefix(f"{name}: "))))
    return [
        (printable(head), [(place, label) for _, place, label in group])
        for head, group in groupby(named, key=lambda name: name[0])
    ]


def _table(report: Report, places: Sequence[int]) -> Table:
    columns = [_number_places(report)[0] - 1, *places]
    names = heads(report.formatted, report.directions)
    lines = [_head(names[at], _width(report, at) - _GAP) for at in columns]
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    above = "\n" * (max(map(len, lines)) - 1)
    table.add_column(f"{above}setting", width=_label_width(report), overflow="fold")
    for name in lines:
        table.add_column(Text("\n".join(name)), justify="right", no_wrap=True, vertical="bottom")
    for head, rows in _by_data_set(report):
        table.add_row(Text(head, style="italic"))
        for row, label in rows:
            texts, best = report.formatted.iloc[row], report.best.iloc[row]
            cells = [Text(_short(texts.iloc[at]), style="bold" if best.iloc[at] else "") for at in columns]
            table.add_row(Text(label), *cells)
    return table
