"""Which numbers a paper's table has, and which side of each is better."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from disent_runner.report.report import Run

_PART = re.compile(r"_(factor|latent)_\d+$")


def number_names(runs: Iterable[Run]) -> dict[tuple[str, str], str]:
    """(metric, number) -> the number's name, behind its metric's where several metrics have one of that name."""
    pairs = dict.fromkeys((row["metric"], row["name"]) for run in runs for row in run.rows)
    times = Counter(name for _, name in pairs)
    return {(metric, name): name if times[name] == 1 else f"{metric}/{name}" for metric, name in pairs}


def headline_numbers(runs: Sequence[Run]) -> dict[str, str]:
    """Number -> metric, of the numbers that a paper's table has.

    Of each metric the number of its own name; where it has none, those that had better be higher or lower; where there
    are none either, all but those of single factors.
    """
    names = number_names(runs)
    rows_of: dict[str, dict[str, dict[str, Any]]] = {}
    for run in runs:
        for row in run.rows:
            if row["value"] is not None:
                rows = rows_of.setdefault(row["metric"], {})
                if row["name"] not in rows or row.get("better"):
                    rows[row["name"]] = row
    headline = {}
    for metric, rows in rows_of.items():
        whole = [name for name, row in rows.items() if not _is_part(row)]
        directed = [name for name in whole if rows[name].get("better")]
        for name in [metric] if metric in rows else directed or whole:
            headline[names[metric, name]] = metric
    return headline


def _is_part(row: Mapping[str, Any]) -> bool:
    """Whether a number is of one factor or latent only."""
    return bool(_PART.search(row["name"])) or row["name"].endswith(tuple(f"_{name}" for name in row["factors"]))


def directions(runs: Sequence[Run]) -> dict[str, str | None]:
    """Of each number: higher, lower, or None where neither is better or its folder does not say."""
    names = number_names(runs)
    found: dict[str, str | None] = {}
    for run in runs:
        for row in run.rows:
            number = names[row["metric"], row["name"]]
            found[number] = found.get(number) or row.get("better")
    return found
