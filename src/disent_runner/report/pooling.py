"""Which runs may be averaged: those that differ in the seed alone, and for each number in nothing at all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from disent_runner.machine.texts import counted
from disent_runner.report.headlines import number_names
from disent_runner.report.labels import shown
from disent_runner.report.run import Omission, Run
from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.scores import at_last_step


class Evaluation(NamedTuple):
    """How numbers were made, their metrics' own settings aside."""

    dataset: str
    source: str
    num_images: int
    representation: str
    factors: tuple[str, ...]
    binned: str
    labels: str
    version: str


class Comparison(NamedTuple):
    """What two values of a number must have in common to be compared: the data, and how they were made."""

    data_hash: str
    evaluation: Evaluation
    metric_settings: str


@dataclass(frozen=True, eq=False)
class Evaluated:
    """One run after one step, as one evaluation scored it."""

    run: Run
    evaluation: Evaluation
    step: int | None
    metric_settings: dict[str, str]
    """metric -> its settings, as JSON"""
    values: dict[str, float]
    """number -> value; a metric that failed or was skipped has none"""


@dataclass(frozen=True, eq=False)
class Setting:
    """Runs that differ in the seed alone, each with another seed: a row of the table."""

    members: list[Evaluated]
    columns: dict[str, Any]
    """all that may set it apart from another, by the name of its column"""
    variant: tuple[tuple[str, str], ...]
    """metric -> settings, as JSON, of the metrics that not all runs have with the same settings"""

    def values(self, number: str) -> list[float]:
        """One value for each run that has one, by seed."""
        return [member.values[number] for member in self.members if number in member.values]

    @property
    def view(self) -> tuple[Any, ...]:
        """Equal for settings that may be drawn in one plot: of the same data and evaluation."""
        return (_data(self.members[0].run), self.members[0].evaluation, self.variant)

    def comparison(self, metric: str) -> Comparison:
        first = self.members[0]
        settings = (member.metric_settings.get(metric) for member in self.members)
        text = next((text for text in settings if text is not None), "")
        return Comparison(_data(first.run), first.evaluation, text)


def without_copies(runs: Sequence[Run]) -> tuple[list[Run], list[Omission]]:
    """A run that is there twice (a copied folder) counts once: the folder that has more of its final numbers."""
    firsts: dict[tuple[Any, ...], Run] = {}
    copies: list[Omission] = []
    for run in sorted(runs, key=lambda run: (-len(final_scores(run)), -len(run.scores), run.folder)):
        first = firsts.setdefault((*origin(run), run.seed), run)
        if first is not run:
            but = "" if _numbers(run) == _numbers(first) else "; its numbers are others"
            copies.append(Omission(run.folder, f"the same run as {first.folder}, which counts{but}"))
    return sorted(firsts.values(), key=lambda run: run.folder), copies


def _numbers(run: Run) -> list[str]:
    """All that was scored, in whichever order and time, and with whichever libraries."""
    return sorted(str(replace(score, seconds=None, libraries=None)) for score in run.scores)


def origin(run: Run) -> tuple[Any, ...]:
    """What runs have in common that differ in the seed alone."""
    facts = [run.facts.get(name) for name in ("id", "data_hash", "data_source")]
    return (run.model, *facts, training_version(run), tuple(sorted(run.identity.items())))


def training_version(run: Run) -> str:
    """Of the disent-runner that trained."""
    return str((run.facts.get("versions") or {}).get("disent-runner", "unknown"))


def final_step(run: Run) -> int | None:
    """The run's last step by its config; where nothing was scored then, the last one that was."""
    planned = (run.config.get("trainer") or {}).get("max_steps")
    if any(score.making.step == planned for score in run.scores):
        return planned
    return at_last_step(run.scores)[0].making.step


def final_scores(run: Run) -> list[Score]:
    step = final_step(run)
    return [score for score in run.scores if score.making.step == step]


def evaluations_of(run: Run, names: Mapping[tuple[str, str], str], labels: str = "") -> list[Evaluated]:
    """The run's final numbers, each evaluation by itself. `names`: see `number_names`; `labels`: of rows that do not
    say which they are of.
    """
    members: dict[Evaluation, Evaluated] = {}
    for score in final_scores(run):
        making = score.making
        evaluation = _evaluation(making, labels)
        member = members.setdefault(evaluation, Evaluated(run, evaluation, making.step, {}, {}))
        if making.metric not in member.metric_settings:
            member.metric_settings[making.metric] = json.dumps(making.settings, sort_keys=True)
        if score.value is not None:
            member.values[names[making.metric, score.label]] = score.value
    return list(members.values())


def _evaluation(making: Making, labels: str) -> Evaluation:
    return Evaluation(
        making.dataset,
        making.source,
        making.num_images,
        making.representation,
        making.factors,
        json.dumps(making.binned, sort_keys=True),
        making.labels or labels,
        making.version,
    )


def pool(runs: Sequence[Run]) -> list[Setting]:
    """A row for each setting of the runs, in the order of data sets, models and settings."""
    names = number_names(runs)
    labels = _only_labels(runs)
    members = [member for run in runs for member in evaluations_of(run, names, labels.get(_data(run), ""))]
    texts: dict[str, set[str]] = {}
    for member in members:
        for metric, text in member.metric_settings.items():
            texts.setdefault(metric, set()).add(text)
    contested = [metric for metric in texts if len(texts[metric]) > 1]
    groups: dict[Any, list[Evaluated]] = {}
    for member in members:
        groups.setdefault((origin(member.run), member.evaluation, member.step), []).append(member)
    settings = [_setting(part, variant) for group in groups.values() for variant, part in _by_variant(group, contested)]
    return sorted(settings, key=lambda setting: _order(setting.columns))


def _only_labels(runs: Sequence[Run]) -> dict[str, str]:
    """The labels of the runs' data, by the data's hash, of data that all rows have the same labels of.

    Rows of earlier versions do not say; they are taken to have them too.
    """
    seen: dict[str, set[str]] = {}
    for run in runs:
        seen.setdefault(_data(run), set()).update(row.making.labels for row in run.scores if row.making.labels)
    return {data: min(labels) for data, labels in seen.items() if len(labels) == 1}


def _data(run: Run) -> str:
    return str(run.facts.get("data_hash"))


def _by_variant(
    group: Sequence[Evaluated], contested: Sequence[str]
) -> Iterator[tuple[dict[str, str], list[Evaluated]]]:
    """The group apart by the settings of its metrics; a run without a metric stays where there is no choice."""
    parts: dict[tuple[str, ...], list[Evaluated]] = {}
    texts = {metric: {m.metric_settings[metric] for m in group if metric in m.metric_settings} for metric in contested}
    default = {metric: "".join(texts[metric]) if len(texts[metric]) == 1 else "" for metric in contested}
    for member in group:
        variant = tuple(member.metric_settings.get(metric, default[metric]) for metric in contested)
        parts.setdefault(variant, []).append(member)
    for variant, part in parts.items():
        yield dict(zip(contested, variant, strict=True)), sorted(part, key=lambda member: member.run.seed)


def _setting(members: list[Evaluated], variant: Mapping[str, str]) -> Setting:
    run, evaluation = members[0].run, members[0].evaluation
    what = {"dataset": evaluation.dataset, "source": evaluation.source, "model": run.model or "codes"}
    columns = {
        **what,
        **(run.settings or {}),
        **what,  # whatever a setting is called
        "step": members[0].step,
        "representation": evaluation.representation,
        "factors": ", ".join(evaluation.factors),
        "num_images": evaluation.num_images,
        "binned": evaluation.binned,
        "labels": evaluation.labels,
        **_metric_columns(variant),
        "data_hash": _data(run)[:12],
        "trained with": training_version(run),
        "version": evaluation.version,
        "id": str(run.facts.get("id") or run.facts.get("data_source")),
    }
    return Setting(members, columns, tuple(variant.items()))


def _metric_columns(variant: Mapping[str, str]) -> dict[str, Any]:
    return {
        f"metric.{metric}.{key}": value if isinstance(value, int | float | str) else json.dumps(value)
        for metric, text in variant.items()
        for key, value in json.loads(text or "{}").items()
    }


def _order(columns: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Numbers by size, before texts."""
    return [
        (name, 0, value, "") if isinstance(value, int | float) else (name, 1, 0, shown(value))
        for name, value in columns.items()
    ]


def count_of(runs: int) -> str:
    return counted(runs, "run")
