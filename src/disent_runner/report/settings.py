"""What differs between runs, under the keys that people type, and short labels made of it."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from disent_runner.report.report import Run
from disent_runner.run_folder import ELSEWHERE, IDENTITY

_SYMBOLS = {"beta": "β", "gamma": "γ", "alpha": "α", "capacity": "C", "lambda_od": "λ_od", "lambda_d": "λ_d"}
_SAID_BY_NAME = ("model._target_", "dataset.load.", "dataset._target_")
"""Keys of which the names of the model and the data set tell already."""


def described(runs: Sequence[Run]) -> list[Run]:
    """The runs with the settings that differ between them, and labels made of those."""
    settings = [run.identity for run in runs]
    names = {key: _typed_key(key, runs, settings) for key in _differing(runs, settings)}
    short = symbols(names.values())
    several = len({dataset(run) for run in runs}) > 1
    labelled = []
    for run, own in zip(runs, settings, strict=True):
        differing = {name: _named(key, own[key]) for key, name in names.items() if key in own}
        label = " ".join(
            [run.model or "codes", *(f"{short[name]}={shown(value)}" for name, value in differing.items())]
        )
        label = f"{dataset(run)}: {label}" if several else label
        labelled.append(dataclasses.replace(run, settings=differing, label=label))
    return labelled


def _named(key: str, value: Any) -> Any:
    return value.rpartition(".")[2] if key.endswith("._target_") else value


def dataset(run: Run) -> str:
    return str(run.facts.get("data_name") or run.rows[0]["dataset"])


def identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """All that changes the numbers, the seed aside, one level deep: `model.beta` and so on; lists are texts."""
    found: dict[str, Any] = {}
    for key in IDENTITY:
        value: Any = config
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        found |= dict(_leaves(key, value))
    return found


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            if name not in ELSEWHERE and name != "_partial_":
                yield from _leaves(f"{key}.{name}", item)
    elif key.endswith("._target_"):
        yield key, str(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, float(value)  # `beta: 4` and `beta: 4.0` are one setting
    else:
        yield key, value if value is None or isinstance(value, bool | str) else str(value)


def _differing(runs: Sequence[Run], settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys with several values, or that only some runs of a model and data set have, in the config's order."""
    values: dict[str, set[Any]] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for run, own in zip(runs, settings, strict=True):
        family = (dataset(run), run.model)
        sizes[family] += 1
        for key, value in own.items():
            values.setdefault(key, set()).add(value)
            counts[(*family, key)] += 1
    partly = {key for (data, model, key), count in counts.items() if count < sizes[data, model]}
    return [key for key in values if (len(values[key]) > 1 or key in partly) and not key.startswith(_SAID_BY_NAME)]


def _typed_key(key: str, runs: Sequence[Run], settings: Sequence[Mapping[str, Any]]) -> str:
    """Where the setting is typed: the model's node repeats what `optimizer`, `network` and others say."""
    short = key.removesuffix("._target_")
    if not key.startswith("model."):
        return short
    rest = key.removeprefix("model.")
    having = [(run.config, own[key]) for run, own in zip(runs, settings, strict=True) if key in own]
    for candidate in (rest, *(f"{section}.{rest}" for section in having[0][0] if section != "model")):
        if all(_looked_up(config, candidate) == value for config, value in having):
            return candidate.removesuffix("._target_")
    return short


def _looked_up(config: Mapping[str, Any], key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if not isinstance(value, list) else str(value)


def symbols(names: Iterable[str]) -> dict[str, str]:
    """The last part of each key, Greek where the papers are, or the whole key where that would not tell."""
    names = list(names)
    ends = Counter(name.rpartition(".")[2] for name in names)
    return {name: _SYMBOLS.get(end, end) if ends[end := name.rpartition(".")[2]] == 1 else name for name in names}


def shown(value: Any) -> str:
    """A setting's value as it would be typed; of a class its name alone."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e9 else f"{value:.6g}"
    return str(value)
