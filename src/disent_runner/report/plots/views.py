"""What plots are drawn from: settings whose numbers may stand side by side, as plain data for another process."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from disent_runner.machine.texts import printable
from disent_runner.report.columns import names, shown_columns
from disent_runner.report.labels import labels
from disent_runner.report.plots.style import MOST_LETTERS
from disent_runner.report.pooling import Setting
from disent_runner.report.tables import ARROWS

_OF_VIEWS = frozenset({"factors", "num_images", "binned", "labels", "version", "data_hash"})
"""Columns that only settings of different views differ in."""


class RunNumbers(NamedTuple):
    """A run's numbers, and what of the run itself plots show."""

    folder: Path
    model: str
    beta: float | None
    values: Mapping[str, float]


@dataclass(frozen=True)
class PlotSetting:
    label: str
    model: str
    columns: Mapping[str, Any]
    swept: tuple[str, ...]
    """the settings among the columns, by key"""
    runs: list[RunNumbers]

    def values(self, number: str) -> list[float]:
        return [run.values[number] for run in self.runs if number in run.values]


@dataclass(frozen=True)
class View:
    """Settings of one data set, evaluated alike."""

    title: str
    prefix: str
    """of file names"""
    settings: list[PlotSetting]
    numbers: list[str]
    directions: Mapping[str, str | None]
    names: list[str]
    """columns that tell the settings apart"""
    places: Mapping[str, int]
    """of each model among all of the report: it has one mark in all plots"""
    udr: Mapping[Path, float] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        return sorted({setting.model for setting in self.settings})

    def axis(self, number: str) -> str:
        """A number's name with an arrow to its better side."""
        return f"{printable(number, MOST_LETTERS)} {ARROWS.get(self.directions.get(number) or '', '')}".strip()

    def runs(self) -> Iterator[RunNumbers]:
        for setting in self.settings:
            yield from setting.runs


def views_of(
    settings: Sequence[Setting], numbers: Sequence[str], directions: Mapping[str, str | None], *, most: int
) -> tuple[list[View], list[str]]:
    """The largest views, and a sentence where there are more."""
    groups: dict[Any, list[Setting]] = {}
    for setting in settings:
        groups.setdefault(setting.view, []).append(setting)
    largest = sorted(groups.values(), key=len, reverse=True)[:most]
    models = sorted({str(setting.columns["model"]) for setting in settings})
    places = {model: place for place, model in enumerate(models)}
    views = [
        View(
            title=title,
            prefix=f"{place}_" if len(largest) > 1 else "",
            settings=_plot_settings(group),
            numbers=[number for number in numbers if any(setting.values(number) for setting in group)],
            directions={number: directions.get(number) for number in numbers},
            names=[name for name in shown_columns(group) if name != "model"],
            places=places,
        )
        for place, (group, title) in enumerate(zip(largest, _titles(largest), strict=True), start=1)
    ]
    surplus = len(groups) - len(largest)
    note = f"plots are of the {most} largest groups of settings that can be compared; {surplus} are not drawn"
    return views, [note] if surplus else []


def _titles(groups: Sequence[Sequence[Setting]]) -> list[str]:
    """The data of each, and what else sets groups of the same data apart."""
    rows = []
    for columns, evaluation in ((group[0].columns, group[0].members[0].evaluation) for group in groups):
        codes = "" if evaluation.representation == "mean" else f", {evaluation.representation} codes"
        apart = {name: value for name, value in columns.items() if name in _OF_VIEWS or name.startswith("metric.")}
        rows.append({**apart, "dataset": "", "model": f"{evaluation.dataset} ({evaluation.source}{codes})"})
    return labels(rows)


def _plot_settings(settings: Sequence[Setting]) -> list[PlotSetting]:
    return [_plot_setting(setting, name) for setting, name in zip(settings, names(settings), strict=True)]


def _plot_setting(setting: Setting, label: str) -> PlotSetting:
    model = str(setting.columns["model"])
    runs = [
        RunNumbers(member.run.folder, model, _beta(member.run.identity), dict(member.values))
        for member in setting.members
    ]
    return PlotSetting(
        printable(label, MOST_LETTERS), model, setting.columns, tuple(setting.members[0].run.settings or ()), runs
    )


def _beta(identity: Mapping[str, Any]) -> float | None:
    beta = identity.get("model.beta")
    return beta if isinstance(beta, float) and beta > 0 else None
