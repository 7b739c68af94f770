"""What differs between runs, under the keys that people type, and labels made of it."""

import dataclasses
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from disent_runner.report.labels import labels
from disent_runner.report.run import Run
from disent_runner.runs.identity import setting

_NAMED = frozenset({"model._target_", "dataset.card._target_"})
"""Keys that only tell which model and which data set it is, which their names do."""
_OF_BATCHES = frozenset({"dataset.batch_size", "dataset.replacement", "dataset.dequantize"})
"""All else below `dataset` says what its images are, and is compared among runs of one data set alone."""
_CARD = "dataset.card."

Difference = tuple[str, str]
"""Name of a data set, or nothing for a key that is compared among all runs; and the key."""


def described(runs: Sequence[Run]) -> list[Run]:
    """The runs with the settings that differ between them, and labels made of those."""
    differences = _differences(runs)
    names = {key: _typed_key(key, runs) for _, key in differences}
    settings = [_settings(run, differences, names) for run in runs]
    texts = labels([_row(run, own) for run, own in zip(runs, settings, strict=True)])
    return [
        dataclasses.replace(run, settings=own, label=text) for run, own, text in zip(runs, settings, texts, strict=True)
    ]


def _row(run: Run, settings: Mapping[str, Any]) -> dict[str, Any]:
    origin = {name: run.facts.get(name) for name in ("data_source", "data_hash", "id")}
    return {**settings, "dataset": dataset(run), "model": run.model or "codes", **origin}


def _settings(run: Run, differences: Container[Difference], names: Mapping[str, str]) -> dict[str, Any]:
    keys = [key for key in run.identity if _difference(key, run) in differences]
    keys.sort(key=lambda key: not names[key].startswith("model."))  # what the model has itself comes first
    return {names[key]: _class_name(key, run.identity[key]) for key in keys}


def _class_name(key: str, value: Any) -> Any:
    return str(value).rpartition(".")[2] if key.endswith("._target_") else value


def dataset(run: Run) -> str:
    return str(run.facts.get("data_name") or run.scores[0].making.dataset)


def _difference(key: str, run: Run) -> Difference:
    is_of_images = key.startswith("dataset.") and key not in _OF_BATCHES
    return (dataset(run) if is_of_images else "", key)


def _differences(runs: Sequence[Run]) -> dict[Difference, None]:
    """Those with several values, or that only some runs of a model and data set have, in the config's order."""
    values: dict[Difference, set[Any]] = {}
    counts: Counter[tuple[Any, ...]] = Counter()
    sizes: Counter[tuple[Any, ...]] = Counter()
    for run in runs:
        family = (dataset(run), run.model)
        sizes[family] += 1
        for key, value in run.identity.items():
            difference = _difference(key, run)
            values.setdefault(difference, set()).add(value)
            counts[*family, difference] += 1
    partial = {difference for (*family, difference), count in counts.items() if count < sizes[tuple(family)]}
    return {
        difference: None
        for difference in values
        if (len(values[difference]) > 1 or difference in partial) and difference[1] not in _NAMED
    }


def _typed_key(key: str, runs: Sequence[Run]) -> str:
    """Where the setting is typed, if all runs that have it have the same there."""
    users = [run for run in runs if key in run.identity]
    for candidate in _places(key, users[0].config):
        if all(_has(run.config, candidate, run.identity[key]) for run in users):
            return candidate.removesuffix("._target_")
    return key.removesuffix("._target_")


def _places(key: str, config: Mapping[str, Any]) -> Iterator[str]:
    """The model's node repeats what `optimizer`, `network` and others say, a card's what `dataset` says."""
    if key.startswith(_CARD):
        yield f"dataset.{key.removeprefix(_CARD)}"
    elif key.startswith("model."):
        name = key.removeprefix("model.")
        yield name
        yield from (f"{section}.{name}" for section in config if section != "model")


def _has(config: Mapping[str, Any], key: str, value: Any) -> bool:
    section, _, name = key.rpartition(".")
    node = setting(config, section) if section else config
    if not isinstance(node, Mapping) or name not in node:
        return False
    return (str(node[name]) if isinstance(node[name], list | Mapping) else node[name]) == value
