"""The last lines of a run: its numbers that people ask for first, and what comes next."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from disent_runner.assembly.metric_choice import members
from disent_runner.machine.console import console
from disent_runner.machine.texts import printable
from disent_runner.runs.score_rows import Score
from disent_runner.runs.scores import headlines, numbers, read_scores

_ASKED_FOR_FIRST = "paper"
"""The preset of metrics whose numbers come first."""


def say_end(folder: Path, root: Path, **asked: Any) -> None:
    """As many headline numbers as fit into a line, and the command that reports the runs of `root`.

    `asked`: which numbers, as `disent_runner.runs.scores.numbers` takes it.
    Nothing where none was computed. Raises ValueError where metrics.json is damaged.
    """
    values = numbers(folder, **asked)
    names = [name for name in _by_fame(read_scores(folder)) if name in values]
    if not names:
        return
    texts = [f"{name} {values[name]:.4g}" for name in names]
    _print(f"numbers: {'  '.join(_fitting(texts, console.width - len('numbers: ')))}")
    place = root if folder.resolve().is_relative_to(root.resolve()) else folder
    _print(f"next: disent-report {shlex.quote(str(place))}")


def _by_fame(rows: Sequence[Score]) -> list[str]:
    by_metric = headlines(rows)
    first = [metric for metric in members(_ASKED_FOR_FIRST) if metric in by_metric]
    return [name for metric in dict.fromkeys([*first, *by_metric]) for name in by_metric[metric]]


def _fitting(texts: Sequence[str], room: int) -> Iterator[str]:
    """The first of them, one at least, with two spaces between each."""
    for place, text in enumerate(texts):
        room -= len(text) + 2 * (place > 0)
        if room < 0 and place > 0:
            return
        yield text


def _print(text: str) -> None:
    console.print(printable(text), highlight=False, markup=False, soft_wrap=True)
