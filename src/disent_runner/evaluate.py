"""Stage `evaluate`: encode the images once, score the codes, and leave the metric tables."""

import csv
import io
import logging
import re
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning.loggers import Logger
from rich.table import Table

from disent_runner.console import console
from disent_runner.datasets.info import DatasetInfo
from disent_runner.encoding import Encoded
from disent_runner.representation import Representation
from disent_runner.run_folder import read_json, write_json, write_whole

log = logging.getLogger(__name__)

Row = dict[str, Any]
Metric = Callable[..., Mapping[str, float]]


def evaluate(
    encode: Callable[[], Encoded],
    info: DatasetInfo,
    metrics: Mapping[str, Metric],
    *,
    folder: Path,
    seed: int,
    loggers: Sequence[Logger] = (),
) -> list[Row]:
    """One row per number, also in metrics.json, .csv and .md. A number that is there with the same making is kept.

    Raises RuntimeError naming the metrics that failed, after the others are done.
    """
    encoded = encode()
    rep = encoded.representation
    making = {
        "seed": seed,
        "step": encoded.step,
        "num_images": len(rep.codes),
        "representation": "mean",
        "dataset": info.name,
        "source": info.source,
        "version": version("disent-runner"),
    }
    rows: list[Row] = read_json(folder / "metrics.json", default=[])
    for name, metric in metrics.items():
        origin = {"metric": name, "settings": settings(metric), **making}
        if not any(origin.items() <= row.items() and row["value"] is not None for row in rows):
            new = score(name, metric, rep, origin, factor_names=list(info.factors))
            rows = [row for row in rows if row["metric"] != name] + new
            write_tables(folder, rows)
    asked = [row for row in rows if row["metric"] in metrics]
    if asked:
        report(asked)
    for logger in loggers:
        logger.log_metrics({row["name"]: row["value"] for row in asked if row["value"] is not None}, step=encoded.step)
    failed = [f"metric {row['metric']} failed: {row['error']}" for row in asked if row["value"] is None]
    if failed:
        raise RuntimeError("; ".join(failed))
    return rows


def score(
    name: str, metric: Metric, rep: Representation, origin: Mapping[str, Any], *, factor_names: Sequence[str]
) -> list[Row]:
    """The rows of one metric, or one that says why it failed.

    Its random stream is its own, so that adding a metric changes no other number. A key that ends in `_factor_<k>` is
    of the k-th factor and gets its name.
    """
    start = time.monotonic()
    try:
        values = metric(rep, rng=np.random.default_rng([origin["seed"], zlib.crc32(name.encode())]))
    except (ValueError, ArithmeticError) as error:
        return [{"name": name, "value": None, **origin, "error": str(error)}]
    seconds = round(time.monotonic() - start, 3)
    log.info("evaluate: %s in %.1f s", name, seconds)
    names = {f"factor_{k}": factor for k, factor in enumerate(factor_names)}
    named = {re.sub(r"factor_\d+$", lambda match: names[match[0]], key): value for key, value in values.items()}
    return [{"name": key, "value": value, **origin, "seconds": seconds} for key, value in named.items()]


def settings(metric: Metric) -> dict[str, Any]:
    """What the metric's YAML set: the part of a number's making that is its own."""
    return dict(metric.keywords) if isinstance(metric, partial) else {}


def write_tables(folder: Path, rows: Sequence[Row]) -> None:
    """metrics.json holds everything; metrics.csv the same, flat; metrics.md the numbers to read."""
    write_json(folder / "metrics.json", list(rows))
    flat = [{**row, "settings": "; ".join(f"{key}={value}" for key, value in row["settings"].items())} for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    write_whole(folder / "metrics.csv", text.getvalue())
    lines = ["| number | value | settings | images | source | seed |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {row['name']} | {_shown(row)} | {row['settings']} | {row['num_images']} | {row['source']} | {row['seed']} |"
        for row in flat
    ]
    write_whole(folder / "metrics.md", "\n".join(lines) + "\n")


def report(rows: Sequence[Row]) -> None:
    """Print the numbers, those of one metric together."""
    table = Table("number", "value", "seconds", title="metrics", title_justify="left")
    for row in rows:
        is_first = row["name"] == next(other["name"] for other in rows if other["metric"] == row["metric"])
        table.add_row(row["name"], _shown(row), str(row.get("seconds", "–")) if is_first else "")
    console.print(table)
    made = "from {num_images:,} {source} {dataset} images, {representation} codes, seed {seed}"
    console.print(made.format(**rows[0]), highlight=False)


def _shown(row: Row) -> str:
    return f"not computed: {row['error']}" if row["value"] is None else f"{row['value']:.4f}"
