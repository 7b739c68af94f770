"""What the page tells of single runs: config, numbers with how they were made, training curves, pictures."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from disent_runner.report.page.pictures import Address, pictures
from disent_runner.report.run import Run
from disent_runner.runs.record import record_text
from disent_runner.runs.score_rows import Making, Score, row_of
from disent_runner.runs.score_tables import settings_text
from disent_runner.runs.train_log import read_some_rows

_SECTION = re.compile(r"^(?=\S)", re.MULTILINE)
_MOST_POINTS, _FEWEST_POINTS, _ALL_POINTS = 200, 50, 40_000
"""Points of a curve, and of the curves of one term of all runs."""
_WITHOUT_UNIT = (
    *("_accuracy", "diagonal", "mmd", "invariance"),
    *("score", "wasserstein", "critic_slope", "sample_spread"),
)
"""How names in train.csv end that are no nats."""
_NOT_MAKING = frozenset({"name", "factor", "value", "better", "unit", "seconds", "seed", "error", "skipped"})
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
        sections = [section for section in _SECTION.split(record_text(run.folder)) if section]
        self.runs.append(
            {
                "config": [_place(self.sections, section) for section in sections],
                "numbers": list(self._numbers(run.scores)),
                "curves": curves(run.folder, points),
                "pictures": pictures(run.folder, address),
            }
        )

    def _numbers(self, scores: Sequence[Score]) -> Iterator[list[Any]]:
        """Name, value, better side, place of the making, seconds and reason of each; the last where it has no value."""
        making: Making | None = None
        place = 0
        for score in scores:
            if score.making is not making:  # seldom: a metric's numbers stand together
                making, place = score.making, _place(self.makings, _making_text(score))
            yield [score.label, score.value, score.better, place, score.seconds, score.reason]

    def plain(self) -> dict[str, Any]:
        makings = [json.loads(making) for making in self.makings]
        return {"sections": list(self.sections), "makings": makings, "runs": self.runs}


def _making_text(score: Score) -> str:
    """How the number was made, as JSON of what stands in the page."""
    row = {key: value for key, value in row_of(score).items() if key not in _NOT_MAKING}
    return json.dumps({key: _text(value) for key, value in row.items()})


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return settings_text(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _place(places: dict[str, int], text: str) -> int:
    return places.setdefault(text, len(places))


def points_per_curve(runs: int) -> int:
    """Fewer where there are many runs, so that the page stays small."""
    return min(_MOST_POINTS, max(_FEWEST_POINTS, _ALL_POINTS // runs))


def curves(folder: Path, points: int) -> dict[str, Any] | None:
    """Columns of train.csv at no more than `points` evenly spaced rows; None where it has none.

    Each column is one text of numbers with four significant digits (steps: whole ones).
    """
    log = read_some_rows(folder, points)
    if log is None:
        return None
    steps, *columns = zip(*log.rows, strict=True)
    terms = [
        {
            "name": name,
            "unit": "" if name.endswith(_WITHOUT_UNIT) else "nats",
            "values": " ".join([f"{value:.4g}" for value in column]),
        }
        for name, column in zip(log.names[1:], columns, strict=True)
    ]
    return {"logged": log.logged, "steps": " ".join([f"{step:.0f}" for step in steps]), "terms": terms}
