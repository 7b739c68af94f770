"""Claims over the runs of a sweep: one quantity is less than another, by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from disent_runner.runs.scores import number
from disent_runner.runs.train_log import read_train_log

LAST = 0.1
"""The share of a run's rows of train.csv, its last ones, that `last` is the mean of."""
TAKES = ("last", "mean", "max", "min", "first_above")
_CONFIDENCE = 0.95
FEWEST_SEEDS = 3
"""From so many on a claim is judged by the interval of its gain; of fewer there is the direction alone."""


class Missing(ValueError):
    """A claim cannot be judged: the runs have not what it is about."""


@dataclass(frozen=True)
class StudyRun:
    """A finished run of a sweep: its folder, seed, and what the sweep set."""

    folder: Path
    seed: int
    overrides: Mapping[str, str]

    def has(self, where: Mapping[str, Any]) -> bool:
        return all(key in self.overrides and _is_same(value, self.overrides[key]) for key, value in where.items())


def _is_same(value: Any, typed: str) -> bool:
    try:
        return float(value) == float(typed)
    except (TypeError, ValueError):
        return str(value) == typed


@dataclass(frozen=True)
class Quantity:
    """A number of each run, of those that `where` names by what the sweep set.

    Either `number`, a name in metrics.json, or `column`, one of train.csv: the `last` tenth's mean, the `mean`, `max`
    or `min` of its rows, or the step at which it is `first_above` a `level` (infinite if never). `rows` keeps the rows
    where other columns are in a range, {capacity: [0.5, 8]}; `absolute` is the value without its sign. A number is of
    the codes that `representation` says, mean or sampled, and of all `factors` unless some are named.
    """

    number: str | None = None
    representation: str = "mean"
    factors: Sequence[str] | None = None
    column: str | None = None
    take: str = "last"
    level: float | None = None
    absolute: bool = False
    rows: Mapping[str, Sequence[float]] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.number is None) == (self.column is None):
            raise ValueError(f"a quantity is a number or a column, got number={self.number} and column={self.column}")
        if self.take not in TAKES or (self.level is None) == (self.take == "first_above"):
            raise ValueError(f"take must be {', '.join(TAKES)}, the last with a level; got {self.take}, {self.level}")

    def __str__(self) -> str:
        what = self.number or f"{'|' * self.absolute}{self.column}{'|' * self.absolute} ({self.take})"
        level = "" if self.level is None else f" {self.level:g}"
        codes = "" if self.representation == "mean" else f" of {self.representation} codes"
        rows = "".join(f" while {low:g} <= {name} <= {high:g}" for name, (low, high) in self.rows.items())
        return f"{what}{codes}{level}{rows}{' of ' if self.where else ''}{_text_of(self.where)}"

    def within(self, where: Mapping[str, Any]) -> "Quantity":
        """The same of fewer runs; what its own `where` says of a key holds."""
        return replace(self, where={**where, **self.where})

    def value(self, run: StudyRun) -> float:
        """Raises Missing where the run has no such number."""
        if self.number is None:
            return self._from_log(run)
        try:
            return number(run.folder, self.number, representation=self.representation, factors=self.factors)
        except ValueError as error:
            raise Missing(str(error)) from None

    def _from_log(self, run: StudyRun) -> float:
        log = read_train_log(run.folder)
        absent = [name for name in (str(self.column), *self.rows) if name not in log]
        if absent:
            raise Missing(f"{run.folder}: train.csv has no column {absent[0]}")
        kept = np.ones(len(log["step"]), dtype=bool)
        for name, (low, high) in self.rows.items():
            kept &= (log[name] >= low) & (log[name] <= high)
        values, steps = log[str(self.column)][kept], log["step"][kept]
        if len(values) == 0:
            raise Missing(f"{run.folder}: train.csv has no row with {self}")
        values = np.abs(values) if self.absolute else values
        if self.take == "first_above":
            above = np.flatnonzero(values > self.level)
            return float(steps[above[0]]) if len(above) else float("inf")
        if self.take == "last":
            return float(values[-max(1, round(LAST * len(values))) :].mean())
        return float(getattr(values, self.take)())

    def by_seed(self, runs: Sequence[StudyRun]) -> dict[int, float]:
        """The mean over the runs of each seed. Raises Missing where no run is meant."""
        chosen = [run for run in runs if run.has(self.where)]
        if not chosen:
            raise Missing(f"no run has {_text_of(self.where)}")
        values: dict[int, list[float]] = {}
        for run in chosen:
            values.setdefault(run.seed, []).append(self.value(run))
        return {seed: float(np.mean(numbers)) for seed, numbers in sorted(values.items())}


def _text_of(where: Mapping[str, Any]) -> str:
    """The model first."""
    return ", ".join(f"{key}={where[key]}" for key in sorted(where, key=lambda key: key != "model"))


@dataclass(frozen=True)
class Claim:
    """`less` is below `than` by more than `by`: in the mean over seeds, or in every seed."""

    less: Quantity | float
    than: Quantity | float
    by: float = 0.0
    every_seed: bool = False

    def __str__(self) -> str:
        margin = f" - {self.by:g}" if self.by else ""
        return (
            f"{_text(self.less)} < {_text(self.than)}{margin}, {'in every seed' if self.every_seed else 'on average'}"
        )

    def verdict(self, runs: Sequence[StudyRun]) -> dict[str, Any]:
        """What the runs say of it, with the values by seed, and whether its direction is the one that they have.

        `verdict` is holds, against or not shown; cannot be said, with the reason, where runs lack what it is about.
        """
        try:
            sides = [_by_seed(side, runs) for side in (self.less, self.than)]
        except Missing as reason:
            return self._unknown(str(reason))
        seeds = sorted(set.intersection(*(set(side) for side in sides if side is not None)))
        if not seeds:
            return self._unknown("the two sides have no seed in common")
        less, than = (
            np.array([side if values is None else values[seed] for seed in seeds])
            for side, values in zip((self.less, self.than), sides, strict=True)
        )
        with np.errstate(invalid="ignore"):  # two that never reach a level are equally late
            gains = np.where(less == than, 0.0, than - less)
        verdict, judged_by = self._judged(gains)
        return {
            "claim": str(self),
            "verdict": verdict,
            "judged_by": judged_by,
            "direction_holds": self._direction(gains),
            "seeds": seeds,
            "less": _readable(less),
            "than": _readable(than),
            "gain": {"mean": _finite(gains.mean()), "interval_95": interval(gains)},
        }

    def _unknown(self, reason: str) -> dict[str, Any]:
        return {"claim": str(self), "verdict": "cannot be said", "direction_holds": None, "reason": reason}

    def _direction(self, gains: np.ndarray) -> bool:
        return bool((gains > self.by).all()) if self.every_seed else bool(gains.mean() > self.by)

    def _judged(self, gains: np.ndarray) -> tuple[str, str]:
        """The verdict, and whether by the interval of the gain or by its direction alone."""
        if len(gains) < FEWEST_SEEDS:
            return "holds" if self._direction(gains) else "against", "direction"
        between = interval(gains)
        low, high = (gains.min(), gains.max()) if between is None else between  # one that is infinite has no interval
        if low > self.by and (self._direction(gains) or not self.every_seed):
            verdict = "holds"
        else:
            verdict = "against" if high <= self.by else "not shown"
        return verdict, "direction" if between is None else "interval"


def verdict_text(claim: Mapping[str, Any]) -> str:
    """What `Claim.verdict` found, in words that say how much it rests on."""
    verdict, seeds = claim["verdict"], len(claim.get("seeds", ()))
    if verdict == "not shown":
        return f"not shown by these {seeds} seeds"
    if claim.get("judged_by") != "direction":
        return verdict
    few = f"{seeds} seed{'s' * (seeds > 1)}, an interval needs {FEWEST_SEEDS}"
    return f"{verdict} by direction alone ({few if seeds < FEWEST_SEEDS else 'some value was never reached'})"


def gain_text(claim: Mapping[str, Any]) -> str:
    """The mean gain with its interval, as far as there are any."""
    mean, between = claim["gain"]["mean"], claim["gain"]["interval_95"]
    text = "infinite" if mean is None else f"{mean:.4g}"
    return text if between is None else f"{text} [{between[0]:.4g}, {between[1]:.4g}]"


def interval(values: np.ndarray) -> list[float] | None:
    """Student's 95 % confidence interval of the mean; None for one value, or where one is infinite."""
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    half = stats.t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return [float(values.mean() - half), float(values.mean() + half)]


def _by_seed(side: Quantity | float, runs: Sequence[StudyRun]) -> dict[int, float] | None:
    return side.by_seed(runs) if isinstance(side, Quantity) else None


def _text(side: Quantity | float) -> str:
    return str(side) if isinstance(side, Quantity) else f"{side:g}"


def _readable(values: np.ndarray) -> list[float | None]:
    return [_finite(value) for value in values]


def _finite(value: Any) -> float | None:
    """JSON has no infinity."""
    return float(value) if np.isfinite(value) else None
