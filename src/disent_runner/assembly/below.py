"""The runs that a run stands on, as commands: what each would be if it were typed by itself.

A model's file names one by a keyword of the model: `vision: {run: null, overrides: [model=betavae_dae]}`. What is typed
of it, `vision.model.beta=4`, is added to its overrides; of those below that, `dae.model.noise=0.2`, is handed down.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import get_annotations
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from disent_runner.assembly import schema
from disent_runner.assembly.checking import hints
from disent_runner.assembly.kinds import mistake
from disent_runner.assembly.mistakes import closest, in_one_line
from disent_runner.runs.identity import run_id, trained_on
from disent_runner.runs.lineage import facts_of, is_trained, named_parents
from disent_runner.runs.status import is_finished

PLAN = "DISENT_PLAN"
"""Environment of a command that only says what it would do."""
_SAME_DATA = ("dataset", "environment", "split", "joint")
_OF_A_MODEL = frozenset({"batch_size", "replacement", "dequantize", "card"})
"""Keys of dataset that are about how a model learns, and what the choice has set."""
_OWN = frozenset({*get_annotations(schema.Run), "hydra"})
_OF_IMAGES = ("card", "crop", "grey", "image_size")
_NOT_BELOW = frozenset({"hydra", "run", "representation", "objective", "study", "sweep"})
"""Roots of keys that say nothing of a run that is only trained: where it lies follows from what it is."""
_SAME_MACHINE = ("output_root", "data_dir", "trust", "trainer.accelerator", "trainer.data_on_device")
_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*")

Compose = Callable[[Sequence[str]], DictConfig]
"""The config of what would be typed."""


@dataclass(frozen=True)
class Composer:
    """Two ways to compose what would be typed for a run below."""

    run: Compose
    """settled and checked, as a run"""
    plain: Compose
    """of choices alone, as it comes"""
    conf: Path
    """where the config groups are, for what mistakes say of them"""


def asked_of_below(overrides: Sequence[Override]) -> list[Override]:
    """Those of the overrides that cannot be about the run itself."""
    return [one for one in overrides if "." in one.key_or_group and _is_plain(one) and _root(one) not in _OWN]


def stands_on_runs(config: DictConfig) -> bool:
    return bool(parents_of(config))


def parents_of(config: DictConfig) -> dict[str, Mapping[str, Any]]:
    """What the config says of each run that its model stands on, by the keyword that takes it."""
    return named_parents(OmegaConf.to_container(config.model)) if OmegaConf.is_dict(config.get("model")) else {}


def settle(config: DictConfig, asked: Sequence[Override], composer: Composer) -> None:
    """Put into the config which runs its model stands on: the overrides that make each, its id, its folder.

    `asked` is what was typed of them. Raises HydraException for what none of them has, and for what is wrong with one
    in itself, with its name before it.
    """
    parents = parents_of(config)
    others = [one for one in asked if _root(one) not in parents]
    for name in parents:
        node = config.model[name]
        _set_typed(node, name, [one for one in asked if _root(one) == name])
        for key, kind in hints(schema.Parent).items():
            if key in node and (said := mistake(f"{name}.{key}", _plain(node, key), kind)):
                raise HydraException(said)
        if node.run is None:
            own = list(node.overrides)
            try:
                facts = _composed(config, name, [*own, *map(_line, others)], composer)
            except HydraException:
                if others:
                    _check_names(others, [name, *_names(_composed(config, name, own, composer), composer)])
                raise
        else:
            facts = {**facts_of(name, node.run), "folder": None}
        if node.run is not None and others:
            raise HydraException(f"{_line(others[0])}: {name}.run={node.run} has its own; leave it out")
        facts["seed"] = None if facts["seed"] == config.seed else facts["seed"]
        with open_dict(config):
            node.update(facts)


def _names(facts: Mapping[str, Any], composer: Composer) -> list[str]:
    """What the runs below a settled one are called."""
    return [
        found
        for name, node in parents_of(composer.run(facts["overrides"])).items()
        for found in (name, *(_names(node, composer) if node["run"] is None else ()))
    ]


def _check_names(asked: Sequence[Override], names: Sequence[str]) -> None:
    for override in asked:
        if (root := _root(override)) not in names:
            raise HydraException(
                f"{_line(override)}: no run below is called {root}{closest(root, names)}; there are {', '.join(names)}"
            )


def _is_plain(override: Override) -> bool:
    return not (override.is_add() or override.is_force_add() or override.is_delete() or override.is_hydra_override())


def _root(override: Override) -> str:
    return override.key_or_group.partition(".")[0]


def _line(override: Override) -> str:
    return str(override.input_line)


def _set_typed(node: DictConfig, name: str, typed: Sequence[Override]) -> None:
    for override in typed:
        key = override.key_or_group.partition(".")[2]
        if key in ("run", "overrides"):
            if override.is_sweep_override():
                raise HydraException(f"{_line(override)}: expected one value; several are a sweep, which needs -m")
            node[key] = override.value()
        else:
            node.overrides = [*node.overrides, _line(override).replace(f"{name}.", "", 1)]


def _composed(config: DictConfig, name: str, lines: Sequence[str], composer: Composer) -> dict[str, Any]:
    """What a run below is, with all that it would have to be typed with."""
    own, above = _by_key(lines), config.hydra.runtime.choices
    for key, line in own.items():
        if (root := re.split("[./@]", key)[0]) in _NOT_BELOW:
            hint = f"; {name}.{line} takes one that is there" if key == "run" else ""
            raise HydraException(f"{name}.{line}: a run below has no {root} of its own, leave it out{hint}")
    base = {group: f"{group}={above[group]}" for group in _SAME_DATA if above.get(group) is not None}
    if "dataset" in own:  # all of it is its own
        base = {}
    try:
        plain = composer.plain(list(base.values()))
        base |= _differences(config, plain, with_data="dataset" not in own)
        base |= {"trainer": f"trainer={above['trainer']}"} if above.get("trainer") != "paper" else {}
        base |= {"seed": f"seed={config.seed}", "stages": "stages=[fit]"}
        overrides = [*{**base, **own}.values()]
        below = composer.run(overrides)
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        raise HydraException(f"{name}: {in_one_line(error, composer.conf)}") from error
    if "fit" not in below.stages:
        raise HydraException(f"{name}.{own['stages']}: a run below is trained first; expected fit among its stages")
    _check_images(name, config, below)
    return {"overrides": overrides, "folder": folder_of(below), "id": run_id(below), "seed": below.seed, "step": None}


def _check_images(name: str, config: DictConfig, below: DictConfig) -> None:
    """HydraException where a run below would learn from other images than the one that stands on it."""
    ours, theirs = _images(config), _images(below)
    for key, value in theirs.items():
        if value != ours[key]:
            key, value, other = f"dataset.{key}", value, ours[key]
            if key == "dataset.card":
                key, value, other = "dataset", *(one.hydra.runtime.choices.get("dataset") for one in (below, config))
            raise HydraException(
                f"{name}.{key}={typed(value)}: it is {typed(other)} above; a run below learns from the same images"
            )


def _images(config: DictConfig) -> Mapping[str, Any]:
    """What decides how the images of a run look."""
    return trained_on("dataset", {key: _plain(config, f"dataset.{key}") for key in _OF_IMAGES})


def _by_key(lines: Sequence[str]) -> dict[str, str]:
    """The last line of each key."""
    return {line.lstrip("+~").partition("=")[0]: line for line in lines}


def _differences(config: DictConfig, plain: DictConfig, *, with_data: bool) -> dict[str, str]:
    """What the run above says of data and machine that a run with its choices alone would not."""
    keys = [key for key in config.dataset if key not in _OF_A_MODEL and key in plain.dataset] if with_data else []
    keys = [f"dataset.{key}" for key in keys if not OmegaConf.is_interpolation(config.dataset, key)]
    found: dict[str, str] = {}
    for key in (*keys, *(["environment"] if with_data else []), *_SAME_MACHINE):
        for place, value, other in _leaves(key, _plain(config, key), _plain(plain, key)):
            if value != other:
                found[place] = f"{place}={typed(value)}"
    return found


def _leaves(place: str, value: Any, other: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(value, Mapping) and isinstance(other, Mapping) and value.keys() == other.keys():
        return [leaf for key in value for leaf in _leaves(f"{place}.{key}", value[key], other[key])]
    return [(place, value, other)]


def _plain(config: DictConfig, key: str) -> Any:
    if OmegaConf.is_missing(config, key):
        return "???"
    value = OmegaConf.select(config, key)
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def typed(value: Any) -> str:
    """A value as Hydra reads it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{typed(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(typed, value)) + "]"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def folder_of(config: DictConfig) -> str:
    """The folder of a composed run, wherever one goes from here."""
    before = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = config  # pyright: ignore[reportAttributeAccessIssue] - set_config would copy it all
    try:
        return str(Path(config.hydra.run.dir).absolute())
    finally:
        HydraConfig.instance().cfg = before


def below_of(config: DictConfig) -> dict[str, list[str]]:
    """The overrides of each run that is to be trained before this one, by the keyword that takes it."""
    return {name: list(node["overrides"]) for name, node in parents_of(config).items() if node["run"] is None}


def missing_below(config: DictConfig) -> dict[str, list[str]]:
    """Those of them that are not trained yet, or not to their end."""
    parents = parents_of(config)
    return {name: lines for name, lines in below_of(config).items() if not is_trained(name, parents[name])}


def plan_lines(
    config: DictConfig, folder: Path, request: str, compose: Callable[[Sequence[str]], DictConfig]
) -> list[str]:
    """What a command would do: a line for each run below, the lowest first, then for the run itself."""
    rows = [*dict.fromkeys(_rows(config, compose)), ("this run", _state(config, is_finished(folder, request)), folder)]
    name_width, state_width = max(len(name) for name, _, _ in rows), max(len(state) for _, state, _ in rows)
    return [f"{name:<{name_width}}  {state:<{state_width}}  {place}" for name, state, place in rows]


def _rows(config: DictConfig, compose: Compose) -> Iterator[tuple[str, str, Path]]:
    for name, node in parents_of(config).items():
        if node["run"] is not None:
            yield name, "there", Path(node["run"])
            continue
        below, is_there = compose(node["overrides"]), is_trained(name, node)
        if not is_there:
            yield from _rows(below, compose)
        yield name, _state(below, is_there), Path(node["folder"])


def _state(config: DictConfig, is_done: bool) -> str:
    return "done" if is_done else f"to do: {', '.join(config.stages)}, {config.trainer.max_steps:,} steps"
