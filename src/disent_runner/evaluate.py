"""Stage `evaluate`: encode the images once, score the codes, and leave the metric tables."""

import csv
import io
import logging
import math
import re
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib.metadata import version
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning.loggers import Logger
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table
from sklearn.exceptions import ConvergenceWarning

from disent_runner.console import console
from disent_runner.metrics.requirements import NotApplicable
from disent_runner.metrics.threads import num_cores, one_thread_per_operation, take_one_thread
from disent_runner.representation import Representation
from disent_runner.run_folder import read_json, write_json, write_whole

log = logging.getLogger(__name__)

Row = dict[str, Any]
Metric = Callable[..., Mapping[str, float]]

_COMPUTED_WITH = ("numpy", "scipy", "scikit-learn", "torch")
_HEAD = "| number | value | settings |\n| --- | --- | --- |\n"
_SUBJECT = ("dataset", "step", "representation", "factors")
"""What a row is about, beside its metric: rows of another step, of means or samples, of other factors stay."""
_PART = re.compile(r"(_factor|_latent)?_\d+$")
"""What the number of one factor, latent or sample size has behind the name that its metric's BETTER knows."""


def evaluate(
    represent: Callable[[], Representation],
    metrics: Mapping[str, Metric],
    *,
    folder: Path,
    seed: int,
    making: Mapping[str, Any],
    choice: str = "mean",
    factors: Sequence[str] | None = None,
    loggers: Sequence[Logger] = (),
) -> list[str]:
    """One row per number, in metrics.json, .csv and .md; a number that is there with the same making is kept.

    `choice` of mean or sampled codes, `factors` that the metrics see (None: all), `making`: what else is to be said of
    the codes in every row. Returns a sentence for each metric that failed; a metric that lacks what it needs is
    skipped. Either way its row has the reason and no value, and the other metrics go on.
    """
    rep = chosen(represent(), choice, factors, seed=seed)
    common = {
        "seed": seed,
        **making,
        "num_images": len(rep.codes),
        "representation": choice,
        "factors": list(rep.factor_names),
        "version": version("disent-runner"),
    }
    origins = {name: {"metric": name, "settings": settings(metric), **common} for name, metric in metrics.items()}
    rows: list[Row] = read_json(folder / "metrics.json", default=[])
    todo = {name: metric for name, metric in metrics.items() if not _is_done(origins[name], rows)}
    for new in score_all(todo, rep, origins):
        rows = _in_order([row for row in rows if not _is_replaced(row, new[0])] + new, list(metrics))
        write_tables(folder, rows)
    asked = [row for row in rows if any(origin.items() <= row.items() for origin in origins.values())]
    report(asked)
    for logger in loggers:
        numbers = {label(row): row["value"] for row in asked if row["value"] is not None}
        logger.log_metrics(numbers, step=making.get("step"))
    return [f"metric {row['metric']} failed: {row['error']}" for row in asked if "error" in row]


def chosen(rep: Representation, choice: str, factors: Sequence[str] | None, *, seed: int) -> Representation:
    """The codes as they are, or one from each posterior, beside all factors or some. ValueError for another choice."""
    if factors is not None:
        rep = rep.with_factors(factors)
    if choice in ("mean", "given"):
        return rep
    if choice == "sampled":
        return rep.sampled(np.random.default_rng([seed, zlib.crc32(b"sampled codes")]))
    raise ValueError(f"representation must be mean, sampled or the path of an npz file, got {choice!r}")


def score_all(
    metrics: Mapping[str, Metric], rep: Representation, origins: Mapping[str, Mapping[str, Any]]
) -> Iterator[list[Row]]:
    """Rows of each metric as it is finished; metrics share the cores, those that use them all by themselves too."""
    if not metrics:
        return
    columns = ("evaluate", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), "{task.fields[running]}")
    running: dict[str, None] = {}

    def score_one(name: str) -> list[Row]:
        running[name] = None
        rows = score(name, metrics[name], rep, origins[name])
        del running[name]
        return rows

    with (
        warnings.catch_warnings(),
        one_thread_per_operation(),
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar,
        ThreadPool(min(num_cores(), len(metrics)), take_one_thread) as pool,
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        task = bar.add_task("evaluate", total=len(metrics), running="")
        for rows in pool.imap_unordered(score_one, metrics):
            bar.update(task, advance=1, running=", ".join(list(running)))
            yield rows


def score(name: str, metric: Metric, rep: Representation, origin: Mapping[str, Any]) -> list[Row]:
    """The rows of one metric, or one that says why it has no value: `skipped`, or `error`.

    Its random stream is its own, so that adding a metric changes no other number. A key that ends in `_factor_<k>` is
    of the k-th factor and gets its name.
    """
    start = time.monotonic()
    try:
        values = metric(rep, rng=np.random.default_rng([origin["seed"], zlib.crc32(name.encode())]))
        _check_values(values)
    except NotApplicable as reason:
        return [{"name": name, "value": None, "better": better(metric, name), **origin, "skipped": str(reason)}]
    except Exception as error:  # whatever it was, the other metrics are worth having
        logging.getLogger("traceback").error("".join(traceback.format_exception(error)))
        reason = str(error) if isinstance(error, ValueError | ArithmeticError) else f"{type(error).__name__}: {error}"
        return [{"name": name, "value": None, "better": better(metric, name), **origin, "error": reason}]
    seconds = round(time.monotonic() - start, 3)
    log.info("evaluate: %s in %.1f s", name, seconds)
    made = {**origin, "seconds": seconds, "libraries": _libraries()}
    return [
        {"name": _named(key, rep), "value": float(value), "better": better(metric, key), **made}
        for key, value in values.items()
    ]


@cache
def _libraries() -> str:
    return "; ".join(f"{library} {version(library)}" for library in _COMPUTED_WITH)


def better(metric: Metric, number: str) -> str | None:
    """`higher` or `lower`, as the metric's module says of the number or of what it is a part of; else None."""
    function = metric.func if isinstance(metric, partial) else metric
    directions = getattr(sys.modules.get(getattr(function, "__module__", "")), "BETTER", {})
    while number not in directions and _PART.search(number):
        number = _PART.sub("", number)
    return directions.get(number)


def _check_values(values: Mapping[str, float]) -> None:
    if not values:
        raise ValueError("it returned no number; a defect of the metric")
    for key, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{key} is {value}, which no table can hold; a defect of the metric")


def _named(key: str, rep: Representation) -> str:
    names = {f"factor_{k}": name for k, name in enumerate(rep.factor_names)}
    return re.sub(r"factor_\d+$", lambda match: names.get(match[0], match[0]), key)


def settings(metric: Metric) -> dict[str, Any]:
    """What the metric's YAML set: the part of a number's making that is its own."""
    return dict(metric.keywords) if isinstance(metric, partial) else {}


def _is_done(origin: Mapping[str, Any], rows: Sequence[Row]) -> bool:
    return any(origin.items() <= row.items() and "error" not in row for row in rows)


def _is_replaced(row: Row, new: Row) -> bool:
    return all(row.get(key) == new[key] for key in ("metric", *_SUBJECT) if key in new)


def _in_order(rows: list[Row], metrics: list[str]) -> list[Row]:
    """Metrics as they were asked for, whichever was finished first, after those of earlier commands."""
    place = {name: index for index, name in enumerate(metrics)}
    return sorted(rows, key=lambda row: place.get(row["metric"], -1))


def label(row: Row) -> str:
    """A number's name with what sets it apart from the same one of posterior means and all factors."""
    return row["name"] if row["representation"] == "mean" else f"{row['name']} ({row['representation']})"


def write_tables(folder: Path, rows: Sequence[Row]) -> None:
    """metrics.json holds everything; metrics.csv the same, flat; metrics.md the numbers to read."""
    write_json(folder / "metrics.json", list(rows))
    flat = [{**row, "settings": _joined(row["settings"]), "factors": ", ".join(row["factors"])} for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_whole(folder / "metrics.csv", text.getvalue())
    write_whole(folder / "metrics.md", _markdown(rows))


def _markdown(rows: Sequence[Row]) -> str:
    """A table for each choice of step, codes and factors; the settings stand beside a metric's first number."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(_subject(row), []).append(row)
    return "\n".join(
        f"## {subject}\n\n{_HEAD}" + "".join(map(_line, _firsts(section), section))
        for subject, section in sections.items()
    )


def _subject(row: Row) -> str:
    step = "" if row["step"] is None else f" after step {row['step']:,}"
    codes = f"{row['representation'].capitalize()} codes of {row['num_images']:,} images"
    head = f"{codes} of {row['dataset']} ({row['source']}){step}, seed {row['seed']}"
    return f"{head}\n\nFactors: {', '.join(row['factors']) or 'none'}"


def _line(is_first: bool, row: Row) -> str:
    return f"| {row['name']} | {_shown(row)} | {_joined(row['settings']) if is_first else ''} |\n"


def _firsts(rows: Sequence[Row]) -> list[bool]:
    """Whether a row is the first one of its metric."""
    return [row["metric"] not in {earlier["metric"] for earlier in rows[:place]} for place, row in enumerate(rows)]


def _joined(settings: Mapping[str, Any]) -> str:
    return "; ".join(f"{key}={value}" for key, value in settings.items())


def report(rows: Sequence[Row]) -> None:
    """Print the numbers, those of one metric together, then in a line each what was skipped."""
    if not rows:
        return
    table = Table("number", "value", "seconds", title="metrics", title_justify="left")
    shown = [row for row in rows if "skipped" not in row]
    for is_first, row in zip(_firsts(shown), shown, strict=True):
        table.add_row(row["name"], _shown(row), str(row.get("seconds", "–")) if is_first else "")
    console.print(table)
    for row in rows:
        if "skipped" in row:
            console.print(f"skipped: {row['skipped']}", highlight=False)
    console.print(_subject(rows[0]).splitlines()[0], highlight=False)


def _shown(row: Row) -> str:
    if "skipped" in row:
        return f"skipped: {row['skipped']}"
    return f"not computed: {row['error']}" if "error" in row else f"{row['value']:.4f}"
