"""train.csv: every logged value by optimisation step."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from disent_runner.machine.files import read_whole, write_whole

FILE = "train.csv"
_Item = TypeVar("_Item")


class SomeRows(NamedTuple):
    """Rows of train.csv that can be read, of all that were logged."""

    names: list[str]
    rows: list[list[float]]
    logged: int


def append_row(folder: Path, row: Mapping[str, float]) -> None:
    """Add a row; the first one's names are the head line.

    A run that another version began may log under other names: each value stays below its own, nan where there is none.
    """
    path = folder / FILE
    head = _head(path)
    names = list(dict.fromkeys([*head, *row]))
    if head and head != names:
        with path.open(newline="") as file:
            _, *before = csv.reader(file)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [names, *(line + ["nan"] * (len(names) - len(head)) for line in before)]
        )
        write_whole(path, text.getvalue())
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not head:
            writer.writerow(names)
        writer.writerow([repr(row.get(name, math.nan)) for name in names])


def _head(path: Path) -> list[str]:
    try:
        with path.open(newline="") as file:
            return next(csv.reader(file), [])
    except FileNotFoundError:
        return []


def forget_after(folder: Path, step: int) -> None:
    """Drop rows of steps that a run which goes on from `step` is about to do again, and a torn last line."""
    path = folder / FILE
    if not path.exists():
        return
    lines = path.read_text().splitlines(keepends=True)
    columns = lines[0].count(",") if lines else 0
    whole = [line for line in lines[1:] if line.endswith("\n") and line.count(",") == columns]
    kept = [line for line in whole if int(line.split(",", 1)[0]) <= step]
    if not kept:
        path.unlink()
    elif len(kept) < len(lines) - 1:
        write_whole(path, "".join([lines[0], *kept]))


def read_train_log(folder: Path) -> dict[str, np.ndarray]:
    """Columns of train.csv by name, each (rows,); empty when there is no file."""
    path = folder / FILE
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    table = np.array(rows[1:], dtype=float).reshape(-1, len(rows[0]))
    return dict(zip(rows[0], table.T, strict=True))


def read_some_rows(folder: Path, most: int) -> SomeRows | None:
    """No more than `most` evenly spaced rows, those left out that are torn or hold no numbers; None where it has none.

    Most lines of a long log are never decoded.
    """
    try:
        head, *lines = read_whole(folder / FILE).splitlines()
    except (OSError, ValueError):
        return None
    names = head.decode(errors="replace").split(",")
    rows = [row for line in evenly_spaced(lines, most) if (row := _parsed(line, len(names)))]
    return SomeRows(names, rows, len(lines)) if names[0] == "step" and rows else None


def evenly_spaced(items: Sequence[_Item], most: int) -> Sequence[_Item]:
    """The first, the last, and as many between them as make `most` (two or more); all if they are no more."""
    if len(items) <= most:
        return items
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _parsed(line: bytes, count: int) -> list[float] | None:
    try:
        row = [float(text) for text in line.split(b",")]
    except ValueError:
        return None
    return row if len(row) == count and math.isfinite(row[0]) else None
