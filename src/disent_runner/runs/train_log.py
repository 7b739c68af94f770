"""train.csv: every logged value by optimisation step."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from disent_runner.machine.files import explained
from disent_runner.runs import checksums

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
        with path.open(newline="", encoding="utf-8") as file:
            _, *before = csv.reader(file)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [names, *(line + ["nan"] * (len(names) - len(head)) for line in before)]
        )
        checksums.write_files(folder, {FILE: text.getvalue()}, growing=[FILE])
    again = "what was there before is kept; the same command goes on"
    with explained(path, again), path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not head:
            writer.writerow(names)
        writer.writerow([repr(row.get(name, math.nan)) for name in names])


def _head(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file), [])
    except FileNotFoundError:
        return []


def forget_after(folder: Path, step: int) -> None:
    """Drop rows of steps that a run which goes on from `step` is about to do again, and a torn last line."""
    path = folder / FILE
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    columns = lines[0].count(b",") if lines else 0
    whole = [line for line in lines[1:] if line.endswith(b"\n") and line.count(b",") == columns]
    kept = [line for line in whole if _step(line) <= step]
    if not kept:
        checksums.forget(folder, FILE)
        path.unlink()
    elif len(kept) < len(lines) - 1:
        checksums.write_files(folder, {FILE: b"".join([lines[0], *kept])}, growing=[FILE])


def check_train_log(folder: Path) -> None:
    """ValueError where the rows up to the newest checkpoint are not what was logged; so far as that is known."""
    try:
        checksums.read_file(folder, FILE)
    except FileNotFoundError:
        if not checksums.is_known(folder, FILE):
            return  # of a run without steps
        reason = "it is gone"
    except ValueError as error:
        reason = str(error)
    else:
        return
    raise ValueError(
        f"{folder / FILE} is damaged: {reason}; put back a copy, or delete {folder / 'checkpoints'} to train again "
        "from the start, which gives the same numbers"
    )


def read_train_log(folder: Path) -> dict[str, np.ndarray]:
    """Columns of train.csv by name, each (rows,); empty when there is no file. Raises ValueError for a damaged one."""
    path = folder / FILE
    try:
        rows = list(csv.reader(checksums.read_file(folder, FILE).decode().splitlines()))
        table = np.array(rows[1:], dtype=float).reshape(-1, len(rows[0]) if rows else 0)
        return dict(zip(rows[0] if rows else [], table.T, strict=True))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def read_some_rows(folder: Path, most: int) -> SomeRows | None:
    """No more than `most` evenly spaced rows, those left out that are torn or hold no numbers; None where it has none,
    or where what was written has changed.

    Most lines of a long log are never decoded.
    """
    try:
        head, *lines = checksums.read_file(folder, FILE).splitlines()
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


def _step(line: bytes) -> float:
    """The step of a row; beyond all where it says none."""
    try:
        return int(line.split(b",", 1)[0])
    except ValueError:
        return math.inf


def _parsed(line: bytes, count: int) -> list[float] | None:
    try:
        row = [float(text) for text in line.split(b",")]
    except ValueError:
        return None
    return row if len(row) == count and math.isfinite(row[0]) else None
