"""The tables of the page, as plain data.

A cell is a text, a number, [number, text] where it is sorted by the one and shows the other, or None.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from disent_runner.report.columns import shown_columns
from disent_runner.report.pooling import Setting
from disent_runner.report.report import Report
from disent_runner.report.run import Omission
from disent_runner.report.tables import decimals, setting_text

Table = dict[str, Any]
Cells = list[Any]


def column(
    name: str, *, menu: bool = False, extra: bool = False, better: str | None = None, digits: int | None = None
) -> dict[str, Any]:
    """`menu`: a choice among its values filters the table; `extra`: it is seen when it is asked for; `digits`: decimals
    of its numbers.
    """
    return {"name": name, "menu": menu, "extra": extra, "better": better, "digits": digits}


def means(report: Report, settings: Sequence[Setting]) -> Table:
    """The table of means; its first column tells the settings apart, its row numbers are those of `settings`."""
    columns = [column("setting")]
    cells: list[Cells] = [list(report.labels)]
    best: list[list[int]] = [[] for _ in settings]
    setting_columns = _setting_columns(report)
    for name in report.formatted.columns:
        texts = report.formatted[name].tolist()
        if name in setting_columns:
            columns.append(column(name, menu=True, extra=True))
            cells.append([_setting(value) for value in report.table[name, ""]])
            continue
        for row in report.best[name].to_numpy().nonzero()[0]:
            best[row].append(len(columns))
        columns.append(column(name, better=report.directions.get(name)))
        values = report.table[name, "" if name == "n" else "mean"]
        cells.append([None if math.isnan(value) else [value, text] for value, text in zip(values, texts, strict=True)])
    return {"columns": columns, "rows": _rows(cells), "best": best}


def runs(report: Report, settings: Sequence[Setting]) -> Table:
    """A row for each run and way of evaluation, with its number among the report's runs and that of its setting."""
    places = {run.folder: place for place, run in enumerate(report.runs)}
    members = [(number, member) for number, setting in enumerate(settings) for member in setting.members]
    columns = [column("run")]
    cells: list[Cells] = [[run_name(member.run.label, member.run.seed) for _, member in members]]
    for name in shown_columns(settings):
        columns.append(column(name, menu=True, extra=True))
        setting_cells = [_setting(setting.columns.get(name)) for setting in settings]
        cells.append([setting_cells[number] for number, _ in members])
    columns.append(column("seed", menu=True, digits=0))
    cells.append([member.run.seed for _, member in members])
    for name in list(report.formatted.columns)[len(_setting_columns(report)) + 1 :]:
        values = [member.values.get(name) for _, member in members]
        digits = decimals(value for value in values if value is not None)
        columns.append(column(name, better=report.directions.get(name), digits=digits))
        cells.append(values)
    links = {"run": [places[member.run.folder] for _, member in members], "setting": [number for number, _ in members]}
    return {"columns": columns, "rows": _rows(cells), **links}


def run_name(label: str, seed: int) -> str:
    return f"{label} seed {seed}"


def frame(table: pd.DataFrame, *, menus: Sequence[str] = (), digits: int = 3) -> Table:
    """A table as it is; whole numbers stay whole."""
    columns = [
        column(str(name), menu=name in menus, digits=0 if pd.api.types.is_integer_dtype(table[name]) else digits)
        for name in table.columns
    ]
    cells = [[None if pd.isna(value) else value for value in table[name].tolist()] for name in table.columns]
    return {"columns": columns, "rows": _rows(cells)}


def left_out(omissions: Iterable[Omission], root: Path) -> Table:
    """Which folders do not count, and why."""
    rows = [[_below(omission.folder, root), omission.reason] for omission in omissions]
    return {"columns": [column("folder"), column("why")], "rows": rows}


def _below(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root)) if folder.is_relative_to(root) else str(folder)


def _setting_columns(report: Report) -> list[str]:
    names = list(report.formatted.columns)
    return names[: names.index("n")]


def _setting(value: Any) -> Any:
    """A setting's value: sorted as a number if it is one."""
    text = setting_text(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return [float(value), text] if is_number else text or None


def _rows(columns: Sequence[Cells]) -> list[list[Any]]:
    return [list(row) for row in zip(*columns, strict=True)]
