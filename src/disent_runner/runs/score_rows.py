"""One number of a run, how it was made, and the row of metrics.json that says both."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_LARGEST = 2**53
"""Of whole numbers, which other programs than Python keep no larger ones of."""
_TEXTS = ("name", "metric", "dataset", "source", "representation", "version")
_PRESENT = frozenset({"value", "settings", "seed", "step", "num_images", *_TEXTS})
_OF_MAKING = ("metric", "settings", "seed", "step", "dataset", "source", "num_images", "representation", "version")


@dataclass(frozen=True, slots=True)
class Making:
    """How numbers were made. Rows of another metric, step, codes or factors stand beside each other in one file."""

    metric: str
    settings: Mapping[str, Any]
    seed: int
    step: int | None
    """of the model; None for codes from a file"""
    dataset: str
    source: str
    num_images: int
    """that were evaluated"""
    representation: str
    """mean, sampled, or given for codes from a file"""
    factors: tuple[str, ...]
    """that the metric saw"""
    version: str
    """of disent-runner"""
    binned: Mapping[str, int] = field(default_factory=dict)
    """number of bins of each factor whose values were put into bins"""
    labels: str | None = None
    """hash of the factors' names and values; None in rows of earlier versions, and of codes from a file"""
    missing: Mapping[str, int] | None = None
    """how many labels of a factor are missing, where some are; None where labels needed no conversion"""

    @property
    def subject(self) -> tuple[Any, ...]:
        """What the numbers are about; of one metric and subject there is one row by each name."""
        return (self.dataset, self.step, self.representation, self.factors)


@dataclass(frozen=True, slots=True)
class Score:
    """One number of a run, or a metric that has none and why."""

    name: str
    factor: str | None
    """which factor it is of; None for a number of all"""
    value: float | None
    better: str | None
    """higher, lower, or None where neither is"""
    unit: str | None
    """nats, bits, …; None for a share, an accuracy or another plain number"""
    making: Making
    seconds: float | None = None
    """that the metric took"""
    libraries: str | None = None
    """that it was computed with"""
    num_labelled: int | None = None
    """images with all the labels that it needs, where some lack one"""
    skipped: str | None = None
    error: str | None = None

    @property
    def num_images(self) -> int:
        """Of the evaluated images, those that it could be computed from."""
        return self.making.num_images if self.num_labelled is None else self.num_labelled

    @property
    def label(self) -> str:
        """The name by which people ask for it: `mig`, and `mig_scale` of the factor scale."""
        return self.name if self.factor is None else f"{self.name}_{self.factor}"

    @property
    def reason(self) -> str | None:
        """Why there is no value."""
        return self.error or self.skipped


def row_of(score: Score) -> dict[str, Any]:
    """A flat row as metrics.json has it; what does not apply is left out."""
    making = score.making
    row: dict[str, Any] = {
        "name": score.name,
        "factor": score.factor,
        "value": score.value,
        "better": score.better,
        "unit": score.unit,
        "metric": making.metric,
        "settings": dict(making.settings),
        "seed": making.seed,
        "step": making.step,
        "dataset": making.dataset,
        "source": making.source,
    }
    if making.binned:
        row["binned"] = dict(making.binned)
    if making.missing is not None:
        row["missing"] = dict(making.missing)
    if score.num_labelled is not None:
        row["num_evaluated"] = making.num_images
    row |= {
        "num_images": score.num_images,
        "representation": making.representation,
        "factors": list(making.factors),
        "version": making.version,
    }
    if making.labels is not None:
        row["labels"] = making.labels
    how = {"seconds": score.seconds, "libraries": score.libraries, "skipped": score.skipped, "error": score.error}
    return row | {key: value for key, value in how.items() if value is not None}


def parsed_rows(rows: Any, *, all_factors: Callable[[], Sequence[str]] = tuple) -> Iterator[Score]:
    """Rows of metrics.json, checked. Raises ValueError that says what is wrong with them.

    Those of the first version do not say which factors the metric saw: it was `all_factors`.
    """
    if not isinstance(rows, list):
        raise ValueError("it holds no list of numbers")
    making: Making | None = None
    labels: set[tuple[Any, ...]] = set()
    for row in rows:
        if isinstance(row, dict) and "factors" not in row:
            row = {**row, "factors": list(all_factors())}
        _check(row)
        making = _making(row, making)
        name, factor = (row["name"], row["factor"]) if "factor" in row else _parted(row["name"], making.factors)
        how = {key: row.get(key) for key in ("seconds", "libraries", "skipped", "error")}
        labelled = row["num_images"] if "num_evaluated" in row else None
        score = Score(
            name, factor, row["value"], row.get("better"), row.get("unit"), making, **how, num_labelled=labelled
        )
        key = (score.label, making.metric, *making.subject)
        if key in labels:
            raise ValueError(f"{score.label} is there twice")
        labels.add(key)
        yield score


def _check(row: Any) -> None:
    if not isinstance(row, dict):
        raise ValueError(f"a row is {row!r}")
    if not row.keys() >= _PRESENT:
        raise ValueError(f"a row lacks {min(_PRESENT - row.keys())}")
    name, value = row["name"], row["value"]
    if not _is_number(value, int, float, type(None)):
        raise ValueError(f"{name} is {value!r}")
    whole = {key: row[key] for key in ("seed", "num_images")}
    if not all(_is_number(number, int) for number in whole.values()) or not _is_number(
        row.get("seconds"), int, float, type(None)
    ):
        raise ValueError(f"{name} has {whole}, and took {row.get('seconds')!r} seconds")
    are_dicts = all(type(row.get(key, {})) is dict for key in ("settings", "binned", "missing"))
    if not are_dicts or type(row["factors"]) is not list:
        raise ValueError(f"{name} has settings or factors that are none")
    if not _is_number(row["step"], int, type(None)) or row.get("better") not in (None, "higher", "lower"):
        raise ValueError(f"{name} has step {row['step']!r} and better {row.get('better')!r}")
    texts = [row[key] for key in _TEXTS] + row["factors"]
    may_lack = [row.get(key) for key in ("factor", "unit", "labels", "libraries", "skipped", "error")]
    if {type(text) for text in texts} != {str} or not {type(text) for text in may_lack} <= {str, type(None)}:
        raise ValueError(f"a name in the row of {name!r} is no text")


def _is_number(value: Any, *types: type) -> bool:
    """Whether it is one of these, and no larger than tables and pages can hold; a truth value is no number."""
    if type(value) not in types:
        return False
    return abs(value) < _LARGEST if type(value) is int else value is None or math.isfinite(value)


def _making(row: Mapping[str, Any], before: Making | None) -> Making:
    """The same object as the row before has, where it was made alike: thousands of runs are read at once."""
    facts: dict[str, Any] = {key: row[key] for key in _OF_MAKING}
    facts["num_images"] = row.get("num_evaluated", row["num_images"])
    facts |= {"factors": tuple(row["factors"]), "binned": row.get("binned", {})}
    making = Making(**facts, labels=row.get("labels"), missing=row.get("missing"))
    return before if before is not None and making == before else making


def _parted(name: str, factors: Sequence[str]) -> tuple[str, str | None]:
    """Number and factor of a name that has both in one, as earlier versions wrote it."""
    endings = [factor for factor in factors if name.endswith(f"_{factor}")]
    factor = max(endings, key=len, default=None)
    return (name, None) if factor is None else (name.removesuffix(f"_{factor}"), factor)
