"""What a report holds: runs, what was left out, tables, plots; every writer gets this and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from disent_runner.report.pooling import Setting


@dataclass(frozen=True, eq=False)
class Run:
    """One run folder as it was read; nothing of it is changed."""

    folder: Path
    config: dict[str, Any]
    """config.yaml without its part `run`; sections that are alike are shared between runs, so not to be changed"""
    facts: dict[str, Any]
    """config.yaml's part `run`: id, data source and hash, versions"""
    rows: list[dict[str, Any]]
    """metrics.json: one row per number, those of intermediate checkpoints too"""
    seed: int
    model: str
    """the name of its file in conf/model; empty where codes came from a file"""
    identity: dict[str, Any]
    """all that changes the numbers, the seed aside, one level deep: `model.beta` and so on"""
    label: str = ""
    """short and for people: betavae β=4"""
    settings: dict[str, Any] | None = None
    """what differs between the runs of the report, by config key; keys that this run lacks are absent"""


@dataclass(frozen=True)
class LeftOut:
    folder: Path
    reason: str


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
    left_out: list[LeftOut]
    notes: list[str]
    """what a reader must know of all runs: versions, data sources and evaluations that were kept apart"""
    table: "pd.DataFrame"
    """numeric, a row per setting; two levels of columns: (setting, ""), ("n", ""), (number, "mean" | "std" | "n")"""
    formatted: "pd.DataFrame"
    """strings as in table.md: settings, n, and one column per number"""
    best: "pd.DataFrame"
    """booleans of the shape of `formatted`: the best mean among settings that may be compared"""
    directions: dict[str, str | None]
    """of each number in the table: higher, lower, or None where neither is better"""
    plots: list[Plot]
    udr: "pd.DataFrame"
    """a row per setting with two seeds or more: label, n, and the median UDR by similarity and aggregate"""
    udr_correlation: "pd.DataFrame"
    """Spearman correlation of UDR with each number over runs: number, similarity, aggregate, spearman, n"""
    version: str
    made_at: str
    """ISO time, UTC"""
