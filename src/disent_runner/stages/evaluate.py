"""Stage `evaluate`: encode the images once, score the codes, and leave the metric tables."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from rich.markup import escape
from rich.table import Table

from disent_runner.loggers.mirror import Mirror, values_of
from disent_runner.machine.console import console
from disent_runner.machine.randomness import random_stream
from disent_runner.machine.texts import counted, printable
from disent_runner.representations.representation import Representation
from disent_runner.runs import scores as tables
from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.score_tables import subject_text, write_tables
from disent_runner.runs.status import unfinish
from disent_runner.stages.scoring import Metric, Subject, score_all

_MOST_REASONS = 3

log = logging.getLogger(__name__)


def evaluate(
    subject: Subject, metrics: Mapping[str, Metric], *, folder: Path, loggers: Sequence[Logger] = ()
) -> list[str]:
    """One row per number, in metrics.json, .csv and .md; a number that is there with the same making is kept, one by
    other labels is not.

    Returns a sentence for each metric that failed; a metric that lacks what it needs is skipped. Either way its row has
    the reason and no value, and the other metrics go on. Numbers that it had by other settings stay in its place.
    """
    makings = {name: subject.making(name, metric) for name, metric in metrics.items()}
    before = _read(folder)
    rows = tables.of_labels(before, subject.labels)
    if len(rows) < len(before):
        log.info("evaluate: gone for those of corrected labels: %s", counted(len(before) - len(rows), "number"))
        unfinish(folder, tables.FILE)  # commands that asked for those numbers have them to make again
    todo = {name: metric for name, metric in metrics.items() if not _is_done(makings[name], rows)}
    without_place: list[Score] = []
    for new in score_all(todo, subject):
        gone = [row for row in rows if _makes_way(row, new[0])]
        if new[0].value is None and any(row.value is not None for row in gone):
            without_place += new
            continue
        if gone:
            unfinish(folder, tables.FILE)
        rows = _in_order(tables.replaced(rows, new), list(metrics))
        tables.write_scores(folder, rows)
        write_tables(folder, rows)
    if rows:
        write_tables(folder, rows)  # which a kill may have left behind metrics.json
    asked = [row for row in rows if row.making in makings.values()] + without_place
    say(asked, folder, num_rows=len(rows))
    for logger in loggers:
        if isinstance(logger, Mirror):
            logger.log_scores(asked, subject.step)
        else:
            logger.log_metrics(values_of(asked), step=subject.step)
    return [f"metric {row.making.metric} failed: {row.error}" for row in asked if row.error]


def _read(folder: Path) -> list[Score]:
    """The rows that are there; a damaged file is kept under another name, and its rows are made again."""
    try:
        return tables.read_scores(folder)
    except ValueError as error:
        log.warning("%s: %s; that is done now, and the file kept as %s", folder, error, tables.set_aside(folder).name)
        unfinish(folder, tables.FILE)  # other commands' rows were in it too
        return []


def chosen(subject: Subject, factors: Sequence[str] | None) -> Subject:
    """The codes as they are, or one from each posterior, beside all factors or some. ValueError for another choice."""
    rep = subject.representation if factors is None else subject.representation.with_factors(factors)
    return replace(subject, representation=_codes_of(rep, subject.choice, subject.seed))


def _codes_of(rep: Representation, choice: str, seed: int) -> Representation:
    if choice in ("mean", "given"):
        return rep
    if choice == "sampled":
        return rep.sampled(random_stream(seed, "sampled codes"))
    raise ValueError(f"representation must be mean, sampled or the path of an npz file, got {choice!r}")


def _makes_way(row: Score, new: Score) -> bool:
    """Whether the row has the place of the new one, by other settings."""
    return tables.is_about(row.making, new.making) and row.making != new.making


def _is_done(making: Making, rows: Sequence[Score]) -> bool:
    return any(row.making == making and row.error is None for row in rows)


def _in_order(rows: list[Score], metrics: list[str]) -> list[Score]:
    """Metrics as they were asked for, whichever was finished first, after those of earlier commands."""
    place = {name: index for index, name in enumerate(metrics)}
    return sorted(rows, key=lambda row: place.get(row.making.metric, -1))


def say(rows: Sequence[Score], folder: Path, *, num_rows: int) -> None:
    """Print the number that each metric is known by, and where all `num_rows` that the folder has are."""
    if not rows:
        return
    names = tables.headlines(rows)
    table = Table("number", "value", "seconds", title="metrics", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        labels = names.get(row.making.metric, [])
        if row.value is not None and row.label in labels:
            unit = f" ({row.unit})" if row.unit else ""
            seconds = str(row.seconds or "–") if row.label == labels[0] else ""
            table.add_row(escape(printable(row.label)) + unit, f"{row.value:.4f}", seconds)
        elif row.error:
            table.add_row(escape(row.making.metric), "failed", "")
    console.print(table)
    _say_skipped([row for row in rows if row.skipped])
    for line in _few_images(rows):
        _print(line)
    _print(subject_text(rows[0].making))
    _print(f"{'all ' * (num_rows != 1)}{counted(num_rows, 'row')}: {folder / 'metrics.md'}", soft_wrap=True)


def _few_images(rows: Sequence[Score]) -> Iterator[str]:
    """Which metrics saw fewer images than were evaluated."""
    metrics: dict[int, dict[str, None]] = {}
    for row in rows:
        if row.num_labelled is not None:
            metrics.setdefault(row.num_labelled, {})[row.making.metric] = None
    for count, names in metrics.items():
        yield f"{', '.join(names)}: {counted(count, 'image')}, those whose labels are all known"


def _say_skipped(rows: Sequence[Score]) -> None:
    for row in rows[:_MOST_REASONS]:
        _print(f"skipped: {row.skipped}")
    if len(rows) > _MOST_REASONS:
        others = ", ".join(row.making.metric for row in rows[_MOST_REASONS:])
        _print(f"skipped too: {others}; metrics.md says why")


def _print(text: str, **options: Any) -> None:
    """A line in which names of factors and data sets are text, whatever is in them."""
    console.print(printable(text), highlight=False, markup=False, **options)
