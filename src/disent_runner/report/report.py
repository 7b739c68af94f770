"""What a report holds: runs, omissions, tables, plots; every writer gets this and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from disent_runner.report.run import Omission, Run

if TYPE_CHECKING:
    import pandas as pd

    from disent_runner.report.pooling import Setting
    from disent_runner.report.verdicts import Verdict


@dataclass(frozen=True)
class Plot:
    path: Path
    title: str
    caption: str
    """one line that says what is to be seen; also the alternative text"""


@dataclass(frozen=True, eq=False)
class Report:
    """All that the files and the page are written from."""

    runs: list[Run]
    settings: "list[Setting]"
    """the runs again, pooled over seeds: a row of the table each"""
    labels: list[str]
    """of the settings, for people: blob: betavae β=4"""
    verdicts: "list[Verdict]"
    omissions: list[Omission]
    notes: list[str]
    """what a reader must know of all runs: versions, data sources and evaluations that were kept apart"""
    metrics: dict[str, str]
    """number -> metric, of the numbers in the table"""
    directions: dict[str, str | None]
    """of each of these: higher, lower, or None where neither is better"""
    table: "pd.DataFrame"
    """numeric, a row per setting; two levels of columns: (setting, ""), ("n", ""), (number, "mean" | "std" | "n")"""
    formatted: "pd.DataFrame"
    """strings as in table.md: settings, n, and one column per number"""
    best: "pd.DataFrame"
    """booleans of the shape of `formatted`: the best mean among settings that may be compared"""
    plots: list[Plot]
    udr: "pd.DataFrame"
    """a row per setting with two seeds or more: label, n, and the median UDR by similarity and aggregate"""
    udr_correlation: "pd.DataFrame"
    """Spearman correlation of UDR with each number over runs: number, similarity, aggregate, spearman, n"""
    udr_choice: "pd.DataFrame"
    """the run that each UDR would choose, beside all others: its value of each number, the best, the share it beats"""
    explained: "pd.DataFrame"
    """shares of each number's variance over runs: model, setting, seed"""
    transfer: "pd.DataFrame"
    """of each number and pair of data sets: whether settings that are good on one are so on the other"""
    version: str
    time: str
    """ISO, UTC"""
