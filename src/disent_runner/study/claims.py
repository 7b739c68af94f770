"""Claims over the runs of a sweep: one quantity is less than another, by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from disent_runner.run_folder import read_json
from disent_runner.train_log import read_train_log

LAST = 0.1
"""The share of a run's rows of train.csv, its last ones, that `last` is the mean of."""
TAKES = ("last", "mean", "max", "min", "first_above")
_CONFIDENCE = 0.95


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
    where other columns are in a range, {capacity: [0.5, 8]}; `absolute` is the value without its sign.
    """

    number: str | None = None
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
        rows = "".join(f" while {low:g} <= {name} <= {high:g}" for name, (low, high) in self.rows.items())
        where = ", ".join(f"{key}={value}" for key, value in self.where.items())
        return f"{what}{level}{rows}{' of ' if where else ''}{where}"

    def of(self, run: StudyRun) -> float:
        """Raises Missing where the run has no such number."""
        return _number_of(run, self.number) if self.number is not None else self._from_log(run)

    def _from_log(self, run: StudyRun) -> float:
        log = read_train_log(run.folder / "train.csv")
        absent = [name for name in (str(self.column), *self.rows) if name not in log]
        if absent:
            raise Missing(f"{run.folder / 'train.csv'} has no column {absent[0]}")
        kept = np.ones(len(log["step"]), dtype=bool)
        for name, (low, high) in self.rows.items():
            kept &= (log[name] >= low) & (log[name] <= high)
        values, steps = log[str(self.column)][kept], log["step"][kept]
        if len(values) == 0:
            raise Missing(f"{run.folder / 'train.csv'} has no row with {self}")
        values = np.abs(values) if self.absolute else values
        if self.take == "first_above":
            above = np.flatnonzero(values > self.level)
            return float(steps[above[0]]) if len(above) else float("inf")
        if self.take == "last":
            return float(values[-max(1, round(LAST * len(values))) :].mean())
        return float(getattr(values, self.take)())

    def by_seed(self, runs: Sequence[StudyRun]) -> dict[int, float]:
        """The mean over the runs of each seed. Raises Missing where no run is meant."""
        meant = [run for run in runs if run.has(self.where)]
        if not meant:
            raise Missing(f"no run has {', '.join(f'{key}={value}' for key, value in self.where.items())}")
        values: dict[int, list[float]] = {}
        for run in meant:
            values.setdefault(run.seed, []).append(self.of(run))
        return {seed: float(np.mean(found)) for seed, found in sorted(values.items())}


def _number_of(run: StudyRun, name: str) -> float:
    """The number by this name of the run's last step."""
    rows = [row for row in read_json(run.folder / "metrics.json", default=[]) if row["name"] == name]
    rows = [row for row in rows if row["value"] is not None]
    if not rows:
        raise Missing(f"{run.folder / 'metrics.json'} has no {name}")
    return float(max(rows, key=lambda row: -1 if row["step"] is None else row["step"])["value"])


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
        """Whether it holds, with the values by seed; `holds` is None, with the reason, where that cannot be said."""
        try:
            sides = [_by_seed(side, runs) for side in (self.less, self.than)]
        except Missing as reason:
            return {"claim": str(self), "holds": None, "reason": str(reason)}
        seeds = sorted(set.intersection(*(set(side) for side in sides if side is not None)))
        if not seeds:
            return {"claim": str(self), "holds": None, "reason": "the two sides have no seed in common"}
        less, than = (
            np.array([fixed if found is None else found[seed] for seed in seeds])
            for fixed, found in zip((self.less, self.than), sides, strict=True)
        )
        with np.errstate(invalid="ignore"):  # two that never reach a level are equally late
            gains = np.where(less == than, 0.0, than - less)
        holds = bool((gains > self.by).all()) if self.every_seed else bool(gains.mean() > self.by)
        return {
            "claim": str(self),
            "holds": holds,
            "seeds": seeds,
            "less": _readable(less),
            "than": _readable(than),
            "gain": {"mean": _finite(gains.mean()), "interval_95": interval(gains)},
        }


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


def quantity(node: Any) -> Quantity:
    """From a config: the name of a number, or the fields of a Quantity. Raises ValueError."""
    if isinstance(node, str):
        return Quantity(number=node)
    try:
        return Quantity(**node)
    except TypeError as error:
        raise ValueError(f"a quantity of the study is {node!r}: {error}") from None


def claim(node: Mapping[str, Any]) -> Claim:
    """From a config. Raises ValueError for what is no claim."""
    sides = {key: node.get(key) for key in ("less", "than")}
    unknown = node.keys() - {"less", "than", "by", "every_seed"}
    fixed = [key for key, side in sides.items() if isinstance(side, int | float)]
    if unknown or None in sides.values() or len(fixed) == 2:
        raise ValueError(f"a claim has less and than, of which one may be a fixed number, by, every_seed; got {node!r}")
    less, than = (side if isinstance(side, int | float) else quantity(side) for side in sides.values())
    return Claim(less, than, float(node.get("by", 0.0)), bool(node.get("every_seed", False)))
