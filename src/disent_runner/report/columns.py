"""Which columns tell settings apart, and short names made of them."""

from collections.abc import Sequence
from typing import Any

from disent_runner.report.labels import labels
from disent_runner.report.pooling import Setting

ALWAYS_SHOWN = ("dataset", "source", "model")
"""A stand-in for a data set never passes for the original."""
_COMPARED_WITHIN = {
    **dict.fromkeys(("source", "factors", "num_images", "binned", "labels"), ("dataset",)),
    "data_hash": ("dataset", "source"),
}
"""Columns that only tell where these are the same: other data have other factors, and another hash."""


def shown_columns(settings: Sequence[Setting]) -> list[str]:
    """Columns that tell the settings apart; the id only where no other does."""
    candidates = dict.fromkeys(name for setting in settings for name in setting.columns)
    names = [name for name in candidates if name in ALWAYS_SHOWN or (name != "id" and _differs(name, settings))]
    if all(map(_is_final, settings)):
        names = [name for name in names if name != "step"]
    rows = {tuple(setting.columns.get(name) for name in names) for setting in settings}
    return names if len(rows) == len(settings) else [*names, "id"]


def _is_final(setting: Setting) -> bool:
    """Whether its step is the one that its config plans; a baseline takes none, codes from a file have none."""
    run = setting.members[0].run
    return setting.members[0].step in (None, 0, (run.config.get("trainer") or {}).get("max_steps"))


def _differs(column: str, settings: Sequence[Setting]) -> bool:
    return len(_family_values(column, settings)) > len({_family(column, setting) for setting in settings})


def _family_values(column: str, settings: Sequence[Setting]) -> set[tuple[Any, Any]]:
    return {(_family(column, setting), setting.columns.get(column)) for setting in settings}


def _family(column: str, setting: Setting) -> tuple[Any, ...]:
    """What a setting has in common with those that it is compared with in this column."""
    return tuple(setting.columns[name] for name in _COMPARED_WITHIN.get(column, ()))


def names(settings: Sequence[Setting]) -> list[str]:
    """Short names of settings: see `labels`. That all factors of the data were evaluated goes without saying."""
    return labels([_told(setting) for setting in settings])


def _told(setting: Setting) -> dict[str, Any]:
    first = setting.members[0]
    known = first.run.facts.get("factors")
    are_all = isinstance(known, dict) and set(known) == set(first.evaluation.factors)
    return {name: value for name, value in setting.columns.items() if not (are_all and name == "factors")}
