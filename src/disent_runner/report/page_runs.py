"""What the page tells of single runs: config, numbers with how they were made, training curves, pictures."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from disent_runner.report.page_pictures import Address, pictures
from disent_runner.report.report import Run

_Item = TypeVar("_Item")

_SECTION = re.compile(r"^(?=\S)", re.MULTILINE)
_MOST_POINTS, _FEWEST_POINTS, _ALL_POINTS = 200, 50, 40_000
"""Points of a curve, and of the curves of one term of all runs."""
_NO_NATS = ("_accuracy",)
"""How names in train.csv end that are no nats."""
_OWN = frozenset({"name", "value", "better", "seconds", "seed", "error", "skipped"})
"""What rows do not have in common with others that were made alike."""


@dataclass(frozen=True)
class Part:
    """Details of some runs. What runs have in common is there once, and the runs have its place."""

    sections: dict[str, int] = field(default_factory=dict)
    """of config.yaml"""
    makings: dict[str, int] = field(default_factory=dict)
    """how numbers were made, as JSON"""
    runs: list[dict[str, Any]] = field(default_factory=list)

    def add(self, run: Run, *, points: int, address: Address) -> None:
        sections = [section for section in _SECTION.split(config_text(run.folder)) if section]
        self.runs.append(
            {
                "config": [_place(self.sections, section) for section in sections],
                "numbers": list(self._numbers(run.rows)),
                "curves": curves(run.folder / "train.csv", points),
                "pictures": pictures(run.folder, address),
            }
        )

    def _numbers(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
        making, place = {}, 0
        for row in rows:
            alike = {key: value for key, value in row.items() if key not in _OWN}
            if alike != making:  # seldom: a metric's numbers stand together
                making, place = alike, _place(self.makings, json.dumps({key: _text(alike[key]) for key in alike}))
            reason = row.get("error") or row.get("skipped")
            yield [row["name"], row["value"], row.get("better"), place, row.get("seconds"), reason]

    def plain(self) -> dict[str, Any]:
        makings = [json.loads(making) for making in self.makings]
        return {"sections": list(self.sections), "makings": makings, "runs": self.runs}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}={item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _place(places: dict[str, int], text: str) -> int:
    return places.setdefault(text, len(places))


def config_text(folder: Path) -> str:
    """config.yaml as it is; empty where it went away since it was read."""
    try:
        return (folder / "config.yaml").read_text(errors="replace")
    except OSError:
        return ""


def points_per_curve(runs: int) -> int:
    """Fewer where there are many runs, so that the page stays small."""
    return min(_MOST_POINTS, max(_FEWEST_POINTS, _ALL_POINTS // runs))


def curves(path: Path, points: int) -> dict[str, Any] | None:
    """Columns of train.csv at no more than `points` evenly spaced rows; None where it has none.

    Each column is one text of numbers with four significant digits (steps: whole ones). Rows that are torn or hold
    something else than numbers are left out.
    """
    try:
        head, *lines = path.read_bytes().splitlines()  # most of them are never decoded
    except (OSError, ValueError):
        return None
    names = head.decode(errors="replace").split(",")
    rows = [row for line in evenly_spaced(lines, points) if (row := _parsed(line, len(names)))]
    if names[0] != "step" or not rows:
        return None
    steps, *columns = zip(*rows, strict=True)
    terms = [
        {
            "name": name,
            "unit": "" if name.endswith(_NO_NATS) else "nats",
            "values": " ".join([f"{value:.4g}" for value in column]),
        }
        for name, column in zip(names[1:], columns, strict=True)
    ]
    return {"logged": len(lines), "steps": " ".join([f"{step:.0f}" for step in steps]), "terms": terms}


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
