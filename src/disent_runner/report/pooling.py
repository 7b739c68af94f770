"""Which runs may be averaged: those that differ in the seed alone, and for each number in nothing at all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from disent_runner.report.headlines import number_names
from disent_runner.report.report import LeftOut, Run
from disent_runner.report.settings import shown, symbols

ALWAYS_SHOWN = ("dataset", "source", "model")
"""A stand-in for a data set never passes for the original."""


class Evaluation(NamedTuple):
    """How numbers were made, their metrics' own settings aside."""

    dataset: str
    source: str
    num_images: int
    representation: str
    factors: tuple[str, ...]
    binned: str
    version: str


class Comparison(NamedTuple):
    """What two values of a number must have in common to be compared: the data, and how they were made."""

    data_hash: str
    evaluation: Evaluation
    metric_settings: str


@dataclass(frozen=True, eq=False)
class Scores:
    """The numbers of one run after one step by one evaluation."""

    run: Run
    evaluation: Evaluation
    step: int | None
    settings: dict[str, str]
    """metric -> its settings, as JSON"""
    values: dict[str, float]
    """number -> value; a metric that failed or was skipped has none"""


@dataclass(frozen=True, eq=False)
class Setting:
    """Runs that differ in the seed alone, each with another seed: a row of the table."""

    scores: list[Scores]
    columns: dict[str, Any]
    """all that may set it apart from another, by the name of its column"""
    variant: tuple[tuple[str, str], ...]
    """metric -> settings, as JSON, of the metrics that not all runs have with the same settings"""

    def values(self, number: str) -> list[float]:
        """One value for each run that has one, by seed."""
        return [each.values[number] for each in self.scores if number in each.values]

    @property
    def view(self) -> tuple[Any, ...]:
        """Equal for settings that may be drawn in one plot: of the same data and evaluation."""
        return (str(self.scores[0].run.facts.get("data_hash")), self.scores[0].evaluation, self.variant)

    def comparison(self, metric: str) -> Comparison:
        first = self.scores[0]
        settings = next((each.settings[metric] for each in self.scores if metric in each.settings), "")
        return Comparison(str(first.run.facts.get("data_hash")), first.evaluation, settings)


def each_once(runs: Sequence[Run]) -> tuple[list[Run], list[LeftOut]]:
    """A run that is there twice (a copied folder) counts once: the folder that has more of its final numbers."""
    kept: dict[tuple[Any, ...], Run] = {}
    left_out: list[LeftOut] = []
    for run in sorted(runs, key=lambda run: (-len(final_rows(run)), -len(run.rows), run.folder)):
        first = kept.setdefault((*origin(run), run.seed), run)
        if first is not run:
            but = "" if run.rows == first.rows else "; its numbers are others"
            left_out.append(LeftOut(run.folder, f"the same run as {first.folder}, which counts{but}"))
    return sorted(kept.values(), key=lambda run: run.folder), left_out


def origin(run: Run) -> tuple[Any, ...]:
    """What runs have in common that differ in the seed alone."""
    facts = run.facts
    own = tuple(sorted(run.identity.items()))
    return (run.model, facts.get("id"), facts.get("data_hash"), facts.get("data_source"), trained_with(run), own)


def trained_with(run: Run) -> str:
    return str((run.facts.get("versions") or {}).get("disent-runner", "unknown"))


def final_step(run: Run) -> int | None:
    """The run's last step by its config; where nothing was scored then, the last one that was."""
    planned = (run.config.get("trainer") or {}).get("max_steps")
    steps = {row["step"] for row in run.rows}
    return planned if planned in steps else max(steps, key=lambda step: -1 if step is None else step)


def final_rows(run: Run) -> list[dict[str, Any]]:
    step = final_step(run)
    return [row for row in run.rows if row["step"] == step]


def scores_of(run: Run, names: Mapping[tuple[str, str], str]) -> list[Scores]:
    """Final numbers of a run, each evaluation by itself. `names`: see `number_names`."""
    found: dict[Evaluation, Scores] = {}
    for row in final_rows(run):
        evaluation = Evaluation(
            row["dataset"],
            row["source"],
            row["num_images"],
            row["representation"],
            tuple(row["factors"]),
            json.dumps(row.get("binned") or {}, sort_keys=True),
            row["version"],
        )
        scores = found.setdefault(evaluation, Scores(run, evaluation, row["step"], {}, {}))
        if row["metric"] not in scores.settings:
            scores.settings[row["metric"]] = json.dumps(row["settings"], sort_keys=True)
        if row["value"] is not None:
            scores.values[names[row["metric"], row["name"]]] = row["value"]
    return list(found.values())


def pool(runs: Sequence[Run]) -> list[Setting]:
    """A row for each setting of the runs, in the order of data sets, models and settings."""
    names = number_names(runs)
    scores = [each for run in runs for each in scores_of(run, names)]
    kinds: dict[str, set[str]] = {}
    for each in scores:
        for metric, settings in each.settings.items():
            kinds.setdefault(metric, set()).add(settings)
    contested = [metric for metric, of in kinds.items() if len(of) > 1]
    groups: dict[Any, list[Scores]] = {}
    for each in scores:
        groups.setdefault((origin(each.run), each.evaluation, each.step), []).append(each)
    settings = [_setting(part, variant) for group in groups.values() for variant, part in _by_variant(group, contested)]
    return sorted(settings, key=lambda setting: _order(setting.columns))


def _by_variant(group: Sequence[Scores], contested: Sequence[str]) -> Iterator[tuple[dict[str, str], list[Scores]]]:
    """The group apart by the settings of its metrics; a run without a metric stays where there is no choice."""
    parts: dict[tuple[str, ...], list[Scores]] = {}
    used = {metric: {each.settings[metric] for each in group if metric in each.settings} for metric in contested}
    only = {metric: "".join(kinds) if len(kinds) == 1 else "" for metric, kinds in used.items()}
    for each in group:
        parts.setdefault(tuple(each.settings.get(metric, only[metric]) for metric in contested), []).append(each)
    for variant, part in parts.items():
        yield dict(zip(contested, variant, strict=True)), sorted(part, key=lambda each: each.run.seed)


def _setting(scores: list[Scores], variant: Mapping[str, str]) -> Setting:
    first = scores[0]
    run, evaluation = first.run, first.evaluation
    metric_settings = {
        f"metric.{metric}.{key}": value if isinstance(value, int | float | str) else json.dumps(value)
        for metric, settings in variant.items()
        for key, value in json.loads(settings or "{}").items()
    }
    columns = {
        "dataset": evaluation.dataset,
        "source": evaluation.source,
        "model": run.model or "codes",
        **(run.settings or {}),
        "step": first.step,
        "representation": evaluation.representation,
        "factors": ", ".join(evaluation.factors),
        "num_images": evaluation.num_images,
        "binned": evaluation.binned,
        **metric_settings,
        "data_hash": str(run.facts.get("data_hash"))[:12],
        "trained with": trained_with(run),
        "version": evaluation.version,
        "id": str(run.facts.get("id") or run.facts.get("data_source")),
    }
    return Setting(scores, columns, tuple(variant.items()))


def _order(columns: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Numbers by size, before texts."""
    return [
        (name, 0, value, "") if isinstance(value, int | float) else (name, 1, 0, shown(value))
        for name, value in columns.items()
    ]


def shown_columns(settings: Sequence[Setting]) -> list[str]:
    """Columns that tell the settings apart; the id only where no other does."""
    names = list(dict.fromkeys(name for setting in settings for name in setting.columns))
    own = [
        name
        for name in names
        if name in ALWAYS_SHOWN or (name != "id" and len({setting.columns.get(name) for setting in settings}) > 1)
    ]
    if all(setting.columns["step"] == setting.columns.get("trainer.max_steps") for setting in settings):
        own = [name for name in own if name != "step"]
    rows = {tuple(setting.columns.get(name) for name in own) for setting in settings}
    return own if len(rows) == len(settings) else [*own, "id"]


def labels(settings: Sequence[Setting]) -> list[str]:
    """Short names that tell these settings apart: betavae β=4."""
    names = [name for name in shown_columns(settings) if name != "model"]
    apart = [name for name in names if len({setting.columns.get(name) for setting in settings}) > 1]
    short = symbols(apart)
    return [
        " ".join(
            [
                setting.columns["model"],
                *(f"{short[name]}={shown(setting.columns[name])}" for name in apart if name in setting.columns),
            ]
        )
        for setting in settings
    ]


def count_of(runs: int) -> str:
    return f"{runs} run{'s' * (runs != 1)}"
