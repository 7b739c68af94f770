"""Which runs a sweep is made of: products of grids, keys that vary together, and unions of grids."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

Axis = list[tuple[str, ...]]
"""The choices of one or several keys that vary together; each is the overrides of one choice."""


def grid(
    params: Mapping[str, Any],
    cases: Mapping[str, Mapping[str, Any] | None],
    zipped: Sequence[Sequence[str]],
    overrides: Sequence[str],
) -> list[list[str]]:
    """Overrides of each run: the product over all keys of `params` and of a case, for one case after another.

    `overrides` are those of the command line, which win over both; a group that a case fixes to another choice leaves
    that case out, and so does None in its place. Each of `zipped` names keys that vary together, the first value of one
    with the first of the others.

    Raises HydraException for values that are no discrete choice, and for zipped keys that do not fit.
    """
    parser = OverridesParser.create()
    typed = _by_key(parser.parse_overrides(list(overrides)))
    common = _by_key(parser.parse_overrides(_lines(params)))
    kept = {name: case for name, case in cases.items() if case is not None}
    runs: list[list[str]] = []
    for case in kept.values() if kept else [{}]:
        special = _by_key(parser.parse_overrides(_lines(case)))
        if all(_admits(typed, key, choices) for key, choices in special.items()):
            runs += _product({**common, **special, **typed}, zipped)
    if not runs:
        raise HydraException(f"no case of the sweep fits {' '.join(overrides)}; its cases: {', '.join(kept)}")
    unknown = {key for keys in zipped for key in keys} - {
        *common,
        *typed,
        *(key for case in kept.values() for key in case),
    }
    if unknown:
        raise HydraException(f"hydra.sweeper.zip names {', '.join(sorted(unknown))}, which the sweep does not vary")
    return runs


def varied(jobs: Sequence[Sequence[str]]) -> list[str]:
    """What sets each run apart from the others: its overrides that not all runs have."""
    shared = set(jobs[0]).intersection(*map(set, jobs)) if jobs else set()
    return [" ".join(override for override in job if override not in shared) for job in jobs]


def _lines(params: Mapping[str, Any]) -> list[str]:
    return [f"{key}={'null' if value is None else value}" for key, value in params.items()]


def _by_key(overrides: Sequence[Override]) -> dict[str, Axis]:
    """Choices of each key, the last word on it: those of a sweep such as `1,4` or `range(3)`, or the one value."""
    return {override.get_key_element(): _choices(override) for override in overrides}


def _choices(override: Override) -> Axis:
    key = override.get_key_element()
    if not override.is_sweep_override():
        return [(f"{key}={override.get_value_element_as_str()}",)] if not override.is_delete() else [(_line(override),)]
    if not override.is_discrete_sweep():
        raise HydraException(f"{_line(override)}: a grid needs choices such as 1,2,4 or range(5); {_SEARCH}")
    return [(f"{key}={value}",) for value in override.sweep_string_iterator()]


_SEARCH = "intervals are for a search, hydra/sweeper=optuna"


def _line(override: Override) -> str:
    return override.input_line or override.get_key_element()


def _admits(typed: Mapping[str, Axis], key: str, choices: Axis) -> bool:
    """Whether a case's key has what was typed for it; a case that varies the key takes whatever was typed."""
    return key not in typed or len(choices) > 1 or choices[0] in typed[key]


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
