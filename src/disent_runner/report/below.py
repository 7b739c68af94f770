"""Runs that were trained for others to stand on: a report that has those others need not name them."""

from collections.abc import Mapping, Sequence
from typing import Any

from disent_runner.report.run import Omission, Run
from disent_runner.runs.record import read_record

_Key = tuple[Any, Any]
"""Id and seed of a run."""


def without_parents(omissions: Sequence[Omission], runs: Sequence[Run]) -> list[Omission]:
    """The omissions but for unscored runs that some run of the report stands on, however far below it."""
    unscored = {_key(facts): facts for omission in omissions if (facts := _facts(omission))}
    wanted = [key for run in runs for key in _parents(run.facts)]
    stood_on: set[_Key] = set()
    while wanted:
        key = wanted.pop()
        if key in unscored and key not in stood_on:
            stood_on.add(key)
            wanted += _parents(unscored[key])
    return [omission for omission in omissions if (facts := _facts(omission)) is None or _key(facts) not in stood_on]


def _facts(omission: Omission) -> Mapping[str, Any] | None:
    """What the folder's config says of the run; None where anything but a score is lacking."""
    if not omission.is_unscored:
        return None
    config = read_record(omission.folder)
    return {**config["run"], "seed": config["seed"]}


def _key(facts: Mapping[str, Any]) -> _Key:
    return facts.get("id"), facts.get("seed")


def _parents(facts: Mapping[str, Any]) -> list[_Key]:
    parents = facts.get("parents")
    return [_key(one) for one in parents.values() if isinstance(one, Mapping)] if isinstance(parents, Mapping) else []
