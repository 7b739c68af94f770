"""`sweep=…` and `+experiment=…`: files that say what many runs are; several of them are several sweeps."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

PRESETS = ("sweep", "experiment")
"""Groups whose files are about the whole config, never a part of it."""
Options = Callable[[str], Sequence[str]]
"""The choices of a group, by its name."""
_SEARCH = "intervals are for a search, hydra/sweeper=optuna"


def is_preset(override: Override) -> bool:
    return override.key_or_group in PRESETS and not override.is_delete()


def commands(overrides: Sequence[str], options: Options) -> list[list[str]]:
    """What is typed, once for each preset, or pair of a sweep and an experiment, that it names.

    Raises HydraException where a preset is typed twice, or put elsewhere than at the top of the config.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    presets = [override for override in parsed if is_preset(override)]
    for index, override in enumerate(presets):
        key, value = override.get_key_element(), override.value()
        if override.package not in (None, "_global_"):
            raise HydraException(
                f"{override.input_line}: a preset is about the whole config; leave out @{override.package}"
            )
        before = [other for other in presets[:index] if other.key_or_group == override.key_or_group]
        if before:
            lines = f"{before[0].input_line} {override.input_line}"
            raise HydraException(f"{lines}: each takes the place of the other; {key}=one,two does one after the other")
        if not override.is_sweep_override() and not isinstance(value, str | list | None):
            raise HydraException(
                f"{override.input_line}: a preset is the name of a file of the group {key.lstrip('+')}"
            )
    return [list(chosen) for chosen in itertools.product(*(_lines(override, options) for override in parsed))]


def _lines(override: Override, options: Options) -> list[str]:
    value, key = override.value(), override.get_key_element()
    if is_preset(override) and isinstance(value, list):
        return [f"{key}={name}" for name in value]
    if is_preset(override) and override.is_sweep_override():
        return [f"{key}={text}" for text in values_of(override, options)]
    return [str(override.input_line)]


def values_of(override: Override, options: Options) -> list[str]:
    """Each value of `1,4`, `choice(1,4)`, `range(3)` or `glob(b*)`, as it is typed; the same order whenever shuffled.

    Raises HydraException where there is none, or where they cannot be told one by one.
    """
    if not override.is_discrete_sweep():
        raise HydraException(f"{override.input_line}: a grid needs choices such as 1,2,4 or range(5); {_SEARCH}")
    swept: Any = override.value()
    if isinstance(swept, Glob):
        values = swept.filter(list(options(override.key_or_group)))
    elif swept.shuffle:
        values = list(replace(override, _value=replace(swept, shuffle=False)).sweep_string_iterator())
        random.Random(override.input_line).shuffle(values)
    else:
        try:
            values = list(override.sweep_string_iterator())
        except ValueError as error:  # of range, for steps of 0
            raise HydraException(f"{override.input_line}: {error}") from None
    if not values:
        raise HydraException(f"{override.input_line}: no value, so that nothing would be run")
    return values


def check_agreement(presets: Mapping[str, DictConfig], without: DictConfig, *, typed: Sequence[str]) -> None:
    """`presets`: what is composed with one of them each, `without` with none, all with the keys that are `typed`.

    Raises HydraException for a key of which two of them say different things.
    """
    base = _said(without)
    said = {
        name: {key: value for key, value in _said(config).items() if base.get(key, base) != value and key not in typed}
        for name, config in presets.items()
    }
    for (one, first), (other, second) in itertools.combinations(said.items(), 2):
        for key in sorted(first.keys() & second.keys(), key=lambda key: (key.count("."), key)):
            if first[key] != second[key]:
                values = f"{one} says {key}={first[key]} and {other} says {key}={second[key]}"
                raise HydraException(f"{values}; type {key}=…, or leave one of them out")


def _said(config: DictConfig) -> dict[str, Any]:
    """Choices of groups, values, and what the sweep varies, by the key with which each is typed."""
    plain: Any = OmegaConf.to_container(config)
    hydra = plain.pop("hydra")
    varied: dict[str, Any] = {}
    for case in (hydra["sweeper"].get("cases") or {}).values():
        for key, value in (case or {}).items():
            varied[key] = f"{varied[key]},{value}" if key in varied else value
    choices = {key: value for key, value in hydra["runtime"]["choices"].items() if key not in PRESETS}
    grid = {**(hydra["sweeper"].get("params") or {}), **varied, "hydra.sweeper.zip": hydra["sweeper"].get("zip")}
    return {**dict(_leaves("", plain)), **choices, **grid}


def _leaves(prefix: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _leaves(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value
