"""Metrics applied to a representation: each with its own random stream, side by side, none in the way of another."""

import logging
import math
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from multiprocessing.pool import ThreadPool
from typing import Any

from rich.progress import MofNCompleteColumn, TimeElapsedColumn
from sklearn.exceptions import ConvergenceWarning

from disent_runner.machine.bars import Bars
from disent_runner.machine.randomness import random_stream
from disent_runner.machine.threads import num_cores, one_thread_per_operation, take_one_thread
from disent_runner.representations.numbers import Part, numbers_of, parts_of
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable
from disent_runner.runs.score_rows import Making, Score

log = logging.getLogger(__name__)

Metric = Callable[..., Mapping[str, float]]

_COMPUTED_WITH = ("numpy", "scipy", "scikit-learn", "torch")


@dataclass(frozen=True)
class Subject:
    """What is scored: codes beside factors, the seed of the metrics' random streams, and where the codes come from."""

    representation: Representation
    seed: int
    dataset: str
    source: str
    choice: str
    """mean, sampled, or given for codes from a file"""
    step: int | None = None
    """of the model; None for codes from a file"""
    binned: Mapping[str, int] | None = None
    """number of bins of each factor whose values were put into bins; None where labels needed no conversion"""
    labels: str | None = None
    """hash of the factors' names and values; None for codes from a file, which has them inside"""

    def making(self, name: str, metric: Metric) -> Making:
        """How the numbers of a metric are made of it."""
        rep, binned, missing = self.representation, self.binned or {}, None
        if self.binned is not None:
            counts = (rep.factors == UNKNOWN).sum(axis=0).tolist()
            missing = {name: count for name, count in zip(rep.factor_names, counts, strict=True) if count}
        return Making(
            metric=name,
            settings=settings(metric),
            seed=self.seed,
            step=self.step,
            dataset=self.dataset,
            source=self.source,
            num_images=len(rep.codes),
            representation=self.choice,
            factors=rep.factor_names,
            version=version("disent-runner"),
            binned={name: binned[name] for name in rep.factor_names if name in binned},
            labels=self.labels,
            missing=missing,
        )


def settings(metric: Metric) -> dict[str, Any]:
    """What the metric's YAML set: the part of a number's making that is its own."""
    return dict(metric.keywords) if isinstance(metric, partial) else {}


def score_all(metrics: Mapping[str, Metric], subject: Subject) -> Iterator[list[Score]]:
    """Rows of each metric as it is finished; metrics share the cores, those that use them all by themselves too."""
    if not metrics:
        return
    running: dict[str, None] = {}

    def score_one(name: str) -> list[Score]:
        running[name] = None
        scores = score(metrics[name], subject.representation, subject.making(name, metrics[name]))
        del running[name]
        return scores

    with (
        warnings.catch_warnings(),
        one_thread_per_operation(),
        Bars(MofNCompleteColumn(), TimeElapsedColumn()) as bar,
        ThreadPool(min(num_cores(), len(metrics)), take_one_thread) as pool,
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)
        task = bar.add_task("evaluate", total=len(metrics))
        for scores in pool.imap_unordered(score_one, metrics):
            bar.update(task, advance=1, notes=list(running))
            yield scores


def score(metric: Metric, representation: Representation, making: Making) -> list[Score]:
    """The rows of one metric, or one that says why it has no value: `skipped`, or `error`.

    Its random stream is its own, so that adding a metric changes no other number.
    """
    labelled = [len(representation.codes)]
    rows = _rows(metric, replace(representation, on_labelled=labelled.append), making)
    return rows if labelled[-1] == labelled[0] else [replace(row, num_labelled=labelled[-1]) for row in rows]


def _rows(metric: Metric, representation: Representation, making: Making) -> list[Score]:
    start = time.monotonic()
    try:
        values = metric(representation, rng=random_stream(making.seed, making.metric))
        _check_values(values)
        parts = parts_of(metric, values, len(making.factors))
    except NotApplicable as reason:
        return _without_value(metric, making, skipped=str(reason))
    except Exception as error:  # whatever it was, the other metrics are worth having
        logging.getLogger("traceback").error("".join(traceback.format_exception(error)))
        reason = str(error) if isinstance(error, ValueError | ArithmeticError) else f"{type(error).__name__}: {error}"
        return _without_value(metric, making, error=reason)
    seconds = round(time.monotonic() - start, 3)
    log.info("evaluate: %s in %.1f s", making.metric, seconds)
    return [_score(parts[key], value, making, seconds) for key, value in values.items()]


def _score(part: Part, value: float, making: Making, seconds: float) -> Score:
    return Score(
        name=part.name,
        factor=None if part.factor is None else making.factors[part.factor],
        value=float(value),
        better=part.number.better,
        unit=part.number.unit,
        making=making,
        seconds=seconds,
        libraries=_libraries(),
    )


def _without_value(
    metric: Metric, making: Making, *, skipped: str | None = None, error: str | None = None
) -> list[Score]:
    """A row in place of the number that has the metric's own name."""
    declared = {number.name: number for number in numbers_of(metric)}.get(making.metric)
    better, unit = (declared.better, declared.unit) if declared else (None, None)
    return [Score(making.metric, None, None, better, unit, making, skipped=skipped, error=error)]


@cache
def _libraries() -> str:
    return "; ".join(f"{library} {version(library)}" for library in _COMPUTED_WITH)


def _check_values(values: Mapping[str, float]) -> None:
    if not values:
        raise ValueError("it returned no number; a defect of the metric")
    for key, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{key} is {value}, which no table can hold; a defect of the metric")
