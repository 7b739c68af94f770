"""One run folder as a report knows it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disent_runner.runs.score_rows import Score


@dataclass(frozen=True, eq=False)
class Run:
    """One run folder as it was read; nothing of it is changed."""

    folder: Path
    config: dict[str, Any]
    """config.yaml without its part `run`; sections that are alike are shared between runs, so not to be changed"""
    facts: dict[str, Any]
    """config.yaml's part `run`: id, data source and hash, versions"""
    scores: list[Score]
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
class Omission:
    """A folder that does not count, and why."""

    folder: Path
    reason: str
    is_unscored: bool = False
    """whether it is a trained run like any other, of which no number was asked"""
