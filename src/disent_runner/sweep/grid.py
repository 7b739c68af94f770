"""Which runs a sweep is made of: products of grids, keys that vary together, and unions of grids."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.presets import Options, values_of
from disent_runner.assembly.typed import as_read

Axis = list[tuple[str, ...]]
"""The choices of one or several keys that vary together; each is the overrides of one choice."""


def grid(
    params: Mapping[str, Any],
    cases: Mapping[str, Mapping[str, Any] | None],
    zipped: Sequence[Sequence[str]],
    overrides: Sequence[str],
    options: Options,
) -> list[list[str]]:
    """Overrides of each run: the product over all keys of `params` and of a case, for one case after another.

    `overrides` are those of the command line, which win over both. Where one is a choice from a group, or what some
    case fixes, cases that fix it to something else are left out; so is None in place of a case. Each of `zipped` names
    keys that vary together, the first value of one with the first of the others. `options` gives a group's choices.

    Raises HydraException for values that are no discrete choice, and for zipped keys that do not fit.
    """
    if any(not isinstance(keys, Sequence) or isinstance(keys, str) or len(keys) < 2 for keys in zipped):
        raise HydraException("hydra.sweeper.zip is a list of lists of keys that vary together, [[seed,model.beta]]")
    typed = _by_key(overrides, options)
    common = _by_key(lines_of(params), options)
    kept = {name: _by_key(lines_of(case), options) for name, case in cases.items() if case is not None}
    choosing = {key for key in typed if options(key) or any(_fixed(case, key, typed[key]) for case in kept.values())}
    runs: list[list[str]] = []
    for case in kept.values() if kept else [{}]:
        agreed = {key: case[key] for key in choosing & case.keys() if _fixed(case, key, typed[key])}
        if all(key in agreed or len(case[key]) > 1 for key in choosing & case.keys()):
            runs += _product({**common, **case, **typed, **agreed}, zipped)
    if not runs:
        raise HydraException(f"no case of the sweep fits {' '.join(overrides)}; its cases: {', '.join(kept)}")
    unknown = {key for keys in zipped for key in keys}.difference(common, typed, *kept.values())
    if unknown:
        raise HydraException(f"hydra.sweeper.zip names {', '.join(sorted(unknown))}, which the sweep does not vary")
    return runs


def check_varied(config: DictConfig, overrides: Sequence[str]) -> None:
    """HydraException for a sweep that varies nothing, unless a launcher takes its one run elsewhere."""
    sweeper, chosen = config.hydra.sweeper, config.hydra.runtime.choices
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    is_varied = sweeper.params or sweeper.cases or any(override.is_sweep_override() for override in parsed)
    if not is_varied and chosen.get("experiment") is None and chosen["hydra/launcher"] == "basic":
        raise HydraException("-m: nothing is varied; give a key several values, such as seed=0,1, or leave -m out")


def varied(jobs: Sequence[Sequence[str]]) -> list[str]:
    """What sets each run apart from the others: its overrides that not all runs have."""
    shared = set(jobs[0]).intersection(*map(set, jobs)) if jobs else set()
    return [" ".join(override for override in job if override not in shared) for job in jobs]


def lines_of(params: Mapping[str, Any]) -> list[str]:
    """What a file says, as it would be typed. Raises HydraException for a list or mapping of YAML."""
    for key, value in params.items():
        if not isinstance(value, str | int | float | None):
            as_text = json.dumps(OmegaConf.to_container(value) if OmegaConf.is_config(value) else value)
            meant = f"{key}: 'choice({as_text[1:-1]})' for one after the other, or " if as_text[:1] == "[" else ""
            raise HydraException(
                f"the sweep's {key}: {as_text} has to be a text: {meant}{key}: '{as_text}' for one value"
            )
    return [as_read(f"{key}={'null' if value is None else value}") for key, value in params.items()]


def _by_key(overrides: Sequence[str], options: Options) -> dict[str, Axis]:
    """Choices of each key, the last word on it: those of a sweep such as `1,4` or `range(3)`, or the one value.

    `+model.beta` and `model.beta` are one key.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return {override.get_key_element().lstrip("+~"): _choices(override, options) for override in parsed}


def _choices(override: Override, options: Options) -> Axis:
    key = override.get_key_element()
    if override.is_delete():
        return [(str(override.input_line),)]
    if not override.is_sweep_override():
        return [(f"{key}={override.get_value_element_as_str()}",)]
    return [(f"{key}={value}",) for value in values_of(override, options)]


def _fixed(case: Mapping[str, Axis], key: str, choices: Axis) -> bool:
    """Whether the case has one value for the key, and that among the choices."""
    return len(case.get(key, ())) == 1 and case[key][0] in choices


def _product(axes: Mapping[str, Axis], zipped: Sequence[Sequence[str]]) -> list[list[str]]:
    return [
        [override for choice in choices for override in choice]
        for choices in itertools.product(*_zipped(axes, [[key for key in keys if key in axes] for keys in zipped]))
    ]


def _zipped(axes: Mapping[str, Axis], zipped: Sequence[Sequence[str]]) -> Iterator[Axis]:
    """The axes in their order, those that vary together as one, in the place of the first."""
    together = {key: keys for keys in zipped for key in keys}
    for key, axis in axes.items():
        keys = together.get(key, [key])
        if key != keys[0]:
            continue
        lengths = {name: len(axes[name]) for name in keys}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise HydraException(f"hydra.sweeper.zip needs keys with equally many values, got {counts}")
        yield (
            [sum(choices, ()) for choices in zip(*(axes[name] for name in keys), strict=True)]
            if len(keys) > 1
            else axis
        )
