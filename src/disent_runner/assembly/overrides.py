"""What is typed, before anything is composed: no key twice, and from each group what can be chosen from it."""

import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf

from disent_runner.assembly import schema
from disent_runner.assembly.checking import hints
from disent_runner.assembly.kinds import alternatives
from disent_runner.assembly.presets import PRESETS

_OF_HYDRA = ("hydra.mode",)
"""What Hydra adds to the command itself."""


def check_typed(overrides: Sequence[Override], primary: str) -> None:
    """`primary` is the text of run.yaml. Raises HydraException for the first override that cannot be meant."""
    seen: dict[tuple[str, str | None], Override] = {}
    for override in overrides:
        if override.is_delete():
            continue
        key = override.key_or_group, override.package
        before = seen.setdefault(key, override)
        if before.input_line != override.input_line and key[0] not in (*PRESETS, *_OF_HYDRA):
            raise HydraException(
                f"{key[0]} is there twice, as {before.input_line} and as {override.input_line}; leave one of them out"
            )
        _check_choice(override, _defaults(primary))


def _takes_several(group: str) -> bool:
    """Whether choices of the group stand side by side in the config, each under its own name."""
    kinds = alternatives(hints(schema.Run).get(group))
    return group in PRESETS or any(typing.get_origin(kind) is Mapping for kind in kinds)


@cache
def _defaults(primary: str) -> dict[str, Any]:
    """What the defaults list of run.yaml chooses from each group."""
    listed: Any = OmegaConf.to_container(OmegaConf.create(primary))
    chosen = [entry for entry in listed["defaults"] if isinstance(entry, dict)]
    return {group: choice for entry in chosen for group, choice in entry.items() if not group.startswith("override")}


def _check_choice(override: Override, defaults: dict[str, Any]) -> None:
    """A group has one choice, several in brackets, or none, as the defaults list shows."""
    group = override.key_or_group
    if group not in (*defaults, *PRESETS) or override.package is not None:
        return
    value, default = override.value(), defaults.get(group)
    line = override.input_line
    names = value.list if isinstance(value, ChoiceSweep) else value if isinstance(value, list) else [value]
    for name in names:
        if isinstance(name, str) and any(part.startswith(("_", "..")) for part in name.split("/")):
            raise HydraException(f"{line}: {name} is no choice of the group {group}, but a part of others; see --help")
    if isinstance(value, list):
        if not _takes_several(group):
            listed = ",".join(map(str, value))
            raise HydraException(f"{line}: expected one choice; for a run of each: -m {group}={listed}")
        if twice := [name for index, name in enumerate(value) if name in value[:index]]:
            raise HydraException(f"{line}: {twice[0]} is there twice; leave one of them out")
    if isinstance(default, list):
        several = value.list if isinstance(value, ChoiceSweep) else [value]
        names = [name.text if isinstance(name, QuotedString) else name for name in several]
        if None in names:
            raise HydraException(f"{line}: expected a list; for none write '{group}=[]'")
        if all(isinstance(name, str) for name in names):
            listed = ",".join(map(str, names))
            raise HydraException(f"{line}: expected a list; write '{group}=[{listed}]'")
    if value is None and isinstance(default, str):
        raise HydraException(f"{line}: expected a choice of the group {group}, such as {group}={default}")
    if not isinstance(value, str | list | QuotedString | None) and not override.is_sweep_override():
        raise HydraException(f"{line}: expected the name of a choice of the group {group}; --help shows them")
