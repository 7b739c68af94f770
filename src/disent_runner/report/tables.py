"""The tidy table of all numbers, and the table of means and standard deviations: numeric, to read, Markdown, LaTeX."""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd

from disent_runner.machine.csv_text import csv_text
from disent_runner.machine.markdown import markdown_table, markdown_text
from disent_runner.machine.texts import printable
from disent_runner.report.columns import shown_columns
from disent_runner.report.labels import shown
from disent_runner.report.pooling import Comparison, Setting
from disent_runner.report.run import Omission, Run
from disent_runner.report.settings import dataset
from disent_runner.runs.score_rows import Score
from disent_runner.runs.score_tables import settings_text

ARROWS = {"higher": "↑", "lower": "↓"}
_NONE = "–"
_SIGNIFICANT = 3
_RUN_COLUMNS = ("folder", "dataset", "source", "data_hash", "model", "id", "seed")
_SCORE_COLUMNS = (
    *("step", "representation", "factors", "number", "factor", "value", "better", "unit"),
    *("metric", "metric_settings", "num_images", "version", "reason"),
)
_TEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "–": "--",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}


def runs_csv(runs: Sequence[Run]) -> str:
    """One row per run and number, those of intermediate checkpoints and those without a value too."""
    names = list(dict.fromkeys(name for run in runs for name in run.settings or {}))
    return csv_text(chain([(*_RUN_COLUMNS, *names, *_SCORE_COLUMNS)], _rows_of(runs, names)))


def _rows_of(runs: Sequence[Run], names: Sequence[str]) -> Iterator[Sequence[Any]]:
    for run in runs:
        settings, facts = run.settings or {}, run.facts
        head = (run.folder, dataset(run), facts.get("data_source"), facts.get("data_hash"), run.model, facts.get("id"))
        start = [*head, run.seed, *(shown(settings[name]) if name in settings else "" for name in names)]
        yield from ([*start, *_row(score)] for score in run.scores)


def _row(score: Score) -> tuple[Any, ...]:
    making = score.making
    return (
        *(making.step, making.representation, ", ".join(making.factors), score.label, score.factor, score.value),
        *(score.better, score.unit, making.metric, settings_text(making.settings), score.num_images, making.version),
        score.reason,
    )


def left_out_csv(omissions: Iterable[Omission], notes: Iterable[str]) -> str:
    """A row per folder that does not count, then those that concern all folders."""
    rows = ([omission.folder, omission.reason] for omission in omissions)
    return csv_text([["folder", "reason"], *rows, *(["", note] for note in notes)])


def mean_table(settings: Sequence[Setting], numbers: Iterable[str]) -> pd.DataFrame:
    """A row per setting; two levels of columns: what sets it apart, n, and of each number mean, std and n.

    The standard deviation is the sample's (n - 1); of one value there is none. A number that no run of a setting has
    has neither mean nor std, and n = 0.
    """
    columns: dict[tuple[str, str], list[Any]] = {
        (name, ""): [setting.columns.get(name) for setting in settings] for name in shown_columns(settings)
    }
    columns["n", ""] = [len(setting.members) for setting in settings]
    for number in numbers:
        samples = [setting.values(number) for setting in settings]
        columns[number, "mean"] = [statistics.fmean(sample) if sample else math.nan for sample in samples]
        columns[number, "std"] = [statistics.stdev(sample) if len(sample) > 1 else math.nan for sample in samples]
        columns[number, "n"] = [len(sample) for sample in samples]
    return pd.DataFrame(columns)


def table_csv(table: pd.DataFrame) -> str:
    """Full precision, one head line: `mig mean`, `mig std`, `mig n`."""
    return frame_csv(table.set_axis([" ".join(part for part in column if part) for column in table.columns], axis=1))


def frame_csv(frame: pd.DataFrame) -> str:
    """A table as it is; a number that there is not is nothing."""
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return csv_text([list(frame.columns), *cells])


def formatted_table(table: pd.DataFrame) -> pd.DataFrame:
    """`mean ± std` as text, to three digits of the largest mean of the column; n where it is not the row's."""
    columns = {}
    for name, kind in table.columns:
        if kind == "":
            columns[name] = [setting_text(value) for value in table[name, kind]]
        elif kind == "mean":
            digits = decimals(table[name, "mean"])
            cells = zip(table[name, "mean"], table[name, "std"], table[name, "n"], table["n", ""], strict=True)
            columns[name] = [_cell(*cell, digits=digits) for cell in cells]
    return pd.DataFrame(columns, dtype=str)


def setting_text(value: Any) -> str:
    """A setting as the table shows it; nothing where a run has no such setting."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return shown(value)


def decimals(means: Iterable[float]) -> int:
    """Digits after the point that show three of the largest number."""
    largest = max((abs(mean) for mean in means if not math.isnan(mean)), default=0.0)
    if largest == 0:
        return _SIGNIFICANT
    return min(max(1, _SIGNIFICANT - 1 - math.floor(math.log10(largest))), 9)


def _cell(mean: float, std: float, n: int, row_n: int, *, digits: int) -> str:
    if n == 0:
        return _NONE
    spread = "" if math.isnan(std) else f" ± {std:.{digits}f}"
    return f"{mean:z.{digits}f}{spread}" + (f" (n={n})" if n != row_n else "")


def best_cells(
    formatted: pd.DataFrame,
    table: pd.DataFrame,
    settings: Sequence[Setting],
    metrics: Mapping[str, str],
    directions: Mapping[str, str | None],
) -> pd.DataFrame:
    """Which cells are best among settings of the same data and evaluation; all whose printed means are the same.

    None where neither direction is better, or where there is nothing to compare with.
    """
    best = {name: [False] * len(formatted) for name in formatted.columns}
    for number, metric in metrics.items():
        pick = {"higher": max, "lower": min}.get(directions.get(number) or "")
        means, texts = list(table[number, "mean"]), [text.partition(" ")[0] for text in formatted[number]]
        for rows in _rivals(settings, metric, means):
            if pick and len(rows) > 1:
                _, winner = pick((means[row], row) for row in rows)
                for row in rows:
                    best[number][row] = texts[row] == texts[winner]
    return pd.DataFrame(best)


def _rivals(settings: Sequence[Setting], metric: str, means: Sequence[float]) -> Iterable[list[int]]:
    """Rows that have a mean, those together that may be compared."""
    rivals: dict[Comparison, list[int]] = {}
    for row, setting in enumerate(settings):
        if not math.isnan(means[row]):
            rivals.setdefault(setting.comparison(metric), []).append(row)
    return rivals.values()


def markdown(formatted: pd.DataFrame, best: pd.DataFrame, directions: Mapping[str, str | None]) -> str:
    """A GitHub table; the best are bold."""
    head = [markdown_text(name) for name in heads(formatted, directions)]
    rows = (
        [f"**{markdown_text(text)}**" if is_best else markdown_text(text) for text, is_best in row]
        for row in _rows(formatted, best)
    )
    return markdown_table(head, rows)


def latex(formatted: pd.DataFrame, best: pd.DataFrame, directions: Mapping[str, str | None]) -> str:
    """A tabular of booktabs; the best are bold."""
    numbers = list(formatted.columns)[list(formatted.columns).index("n") + 1 :]
    alignment = "l" * (formatted.shape[1] - len(numbers) - 1) + "r" * (len(numbers) + 1)
    body = [
        [rf"\textbf{{{tex_text(text)}}}" if is_best else tex_text(text) for text, is_best in row]
        for row in _rows(formatted, best)
    ]
    head = [tex_text(name) for name in heads(formatted, directions)]
    lines = [
        "% mean ± sample standard deviation over n seeds; needs \\usepackage{booktabs}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(line) + r" \\" for line in body),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def heads(formatted: pd.DataFrame, directions: Mapping[str, str | None]) -> list[str]:
    """Column heads, with an arrow to the better side."""
    columns = list(formatted.columns)
    first_number = columns.index("n") + 1
    arrows = [ARROWS.get(directions.get(name) or "", "") for name in columns[first_number:]]
    return columns[:first_number] + [
        f"{name} {arrow}".strip() for name, arrow in zip(columns[first_number:], arrows, strict=True)
    ]


def _rows(formatted: pd.DataFrame, best: pd.DataFrame) -> Iterator[list[tuple[str, bool]]]:
    for texts, are_best in zip(formatted.to_numpy(), best.to_numpy(), strict=True):
        yield list(zip(texts, are_best, strict=True))


def tex_text(text: str) -> str:
    """Escaped for LaTeX, in one line."""
    return "".join(_TEX.get(character, character) for character in printable(" ".join(text.split())))
