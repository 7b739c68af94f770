"""The config of a run folder, as something to build from: what it names is checked before any of it is imported.

A folder may have been sent by anyone, and a config names classes and functions that are called.
"""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.later_keys import with_later_keys
from disent_runner.assembly.own_classes import targets
from disent_runner.datasets.card import Card
from disent_runner.runs.record import MADE_FROM, read_record

_ROOMS = {
    "model.environment": ("disent_runner.environments",),
    "model.agent": ("disent_runner.agents",),
    "model": ("disent_runner.models", "disent_runner.networks", "disent_runner.losses", "torch.optim"),
    "network": ("disent_runner.networks",),
    "init": ("disent_runner.networks",),
    "likelihood": ("disent_runner.losses",),
    "optimizer": ("torch.optim",),
    "schedule": ("torch.optim",),
    "dataset.environment": ("disent_runner.environments",),
    "dataset.card.environment": ("disent_runner.environments",),
    "dataset.card": ("disent_runner.datasets",),
    "dataset.split": ("disent_runner.datasets.splits",),
    "dataset.joint": ("disent_runner.datasets.joints",),
}
"""Where the classes and functions are defined that may stand in each part of a recorded config; elsewhere are none. The
first part that a place is in counts."""
_INTERPOLATION = re.compile(r"(\\*)\$\{")


def recorded_config(folder: Path, *, trust: bool) -> DictConfig:
    """The folder's config.yaml, its part `run` included.

    Keys that came after the version that wrote it have their defaults. Interpolations in it are text and never
    resolved: they could ask for the environment of whoever opens the folder. ValueError for one in what a run is made
    from, for names of other rooms unless they are trusted, and for a file that is no config of a run.
    """
    try:
        record = read_record(folder)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None
    path = f"config.yaml of {folder}"
    *sections, _ = MADE_FROM  # and the seed
    wrong = [key for key in sections if not isinstance(record.get(key) or {}, dict)]
    lacking = [key for key in ("model", "dataset") if not isinstance(record.get(key), dict)] + wrong
    if lacking or type(record.get("seed")) is not int:
        raise ValueError(f"{path} is none of a run: {', '.join(lacking) or 'seed'} is missing or damaged")
    parts = {key: record[key] for key in MADE_FROM if key in record}
    for key, part in parts.items():
        asked = next((text for _, text in _texts(part, key) if "${" in text), None)
        if asked is not None:
            raise ValueError(
                f"{path}: {key} holds {asked[:60]!r}; what was recorded is not resolved, put its value there"
            )
    named = [pair for key, part in parts.items() for pair in targets(part, key)]
    strangers = [f"{name} ({place})" for place, name in named if not belongs(place, name)]
    if strangers and not trust:
        raise ValueError(
            f"{path} names what is not disent-runner's own: {', '.join(strangers)}; "
            "if you know who wrote it, trust=true runs that"
        )
    return with_later_keys(OmegaConf.create({key: _as_text(value) for key, value in record.items()}))


def _texts(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield place, str(key)
            yield from _texts(value, f"{place}.{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _texts(value, f"{place}.{number}")
    elif isinstance(node, str):
        yield place, node


def belongs(place: str, target: Any) -> bool:
    """Whether it may stand in that place of a recorded config, `model.encoder` for example."""
    rooms = next((rooms for part, rooms in _ROOMS.items() if f"{place}.".startswith(f"{part}.")), ())
    return isinstance(target, str) and any(_is_of(room, target) for room in rooms)


def _is_of(room: str, target: str) -> bool:
    """Whether the room defines that class or function. Modules of the room alone are imported to find out.

    What a module has imported itself does not count: any could be reached through it.
    """
    module, _, name = target.rpartition(".")
    is_inside = module == room or module.startswith(f"{room}.")
    if not is_inside or not all(part.isidentifier() for part in target.split(".")):
        return False
    try:
        found = getattr(import_module(module), name, None)
    except ImportError:
        return False
    if not (inspect.isclass(found) or inspect.isfunction(found)) or found.__qualname__ != name:
        return False
    if room == "torch.optim":
        return found.__module__.startswith(f"{room}.") and _trains(found)
    if room == "disent_runner.datasets":  # whose other functions write files
        made = getattr(found, "__annotations__", {}).get("return")
        return found.__module__ == module and made in (Card, Card.__name__)
    if room == "disent_runner.environments":
        return found.__module__ == module and getattr(found, "__annotations__", {}).get("return") == "VectorEnv"
    return found.__module__ == module


def _trains(found: Any) -> bool:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    return inspect.isclass(found) and issubclass(found, Optimizer | LRScheduler)


def _as_text(node: Any) -> Any:
    """The same, with interpolations escaped."""
    if isinstance(node, dict):
        return {key: _as_text(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_as_text(value) for value in node]
    return _INTERPOLATION.sub(r"\1\1\\${", node) if isinstance(node, str) else node
