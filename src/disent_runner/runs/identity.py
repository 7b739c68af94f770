"""What makes a run the run it is: the id of its folder, the hash of what a command asks of it, its settings."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.machine.digests import file_sha256

IDENTITY = ("model", "dataset", "trainer.max_steps", "trainer.precision")
"""What changes the numbers; the model's node holds its network, likelihood and optimizer once resolved."""
ELSEWHERE = frozenset({"data_dir", "check_hash"})
"""Where things lie on this machine: no part of a run's identity."""
SPELLING = ("run", "overrides", "folder")
"""How a run that a model stands on is named, where it lies, what it may be: its id, seed and step are what it is."""
_CHOSEN_BY_LABELS = ("split", "joint", "subset")
NAMED = ("continuous", "discrete")
"""Keys that name factors for what their labels are: they came later, and naming none is as if they were not there."""
_COUNTED_NULLS = frozenset(
    {"attributes", "count", "crop", "factors", "hidden", "image_size", "joint"}
    | {"num_changed", "odds", "path", "picture", "posterior_lr", "split", "subset"}
)
"""Null in any other key is as if the key were not there, so that a new option that is off leaves ids as they are. These
are older than that rule, and ids of folders count them."""
_NONE = object()
_ASKED = (
    *("stages", "seed", "model", "dataset", "trainer", "evaluation", "metric", "figure"),
    *("representation", "factors", "run"),
)
"""What a command asks of a run, of all that it configures: not where to, on which machine, or mirrored to what."""


def run_id(config: DictConfig) -> str:
    """Eight hex digits that are equal for two configs exactly when their numbers are (seed aside)."""
    return _digest({key: canonical(trained_on(key, plain(OmegaConf.select(config, key)))) for key in IDENTITY})[:8]


def owner_of(config: DictConfig) -> str:
    """Whose folder the config's is: an earlier run's, that of a file of codes, or of the run's id; and the seed."""
    if config.run is not None:
        return str(Path(config.run).resolve())
    path = Path(config.representation)
    return f"{codes_id(path, config) if path.suffix else run_id(config)} seed={config.seed}"


def request_of(config: DictConfig) -> str:
    """Hash of what the config asks of its run, and of the version that is to do it."""
    asked = {key: config.get(key) for key in _ASKED} | _named(config) | _without_spelling(config)
    return _digest([_own_version(), {key: canonical(without_places(plain(value))) for key, value in asked.items()}])[
        :16
    ]


def _without_spelling(config: DictConfig) -> dict[str, Any]:
    """What names a file, whichever way its path is typed: codes by their content, a run by which of its checkpoints."""
    run, path = config.get("run"), Path(config.get("representation") or "")
    asked = {} if run is None else {"run": Path(run).name if Path(run).suffix == ".pt" else ""}
    return asked | ({"representation": codes_id(path, config)} if path.suffix else {})


def codes_folder(path: Path, config: Mapping[str, Any] | DictConfig) -> Path:
    """Where codes of other people are scored, below output_root; by content, so that a changed file is another one.

    Raises FileNotFoundError where there is no such file.
    """
    return Path("representations", path.stem, codes_id(path, config))


def codes_id(path: Path, config: Mapping[str, Any] | DictConfig) -> str:
    """Eight hex digits of the content of a file of codes, and of what the config says of its factors' labels.

    Raises FileNotFoundError where there is none.
    """
    if not path.is_file():
        raise FileNotFoundError(f"representation={path}: no such file")
    digest = file_sha256(path)
    if named := _named(config):
        digest = _digest([digest, {key: plain(names) for key, names in named.items()}])
    return digest[:8]


def _named(config: Mapping[str, Any] | DictConfig) -> dict[str, Any]:
    return {key: config.get(key) for key in NAMED if config.get(key)}


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """All that changes the numbers, the seed aside, one level deep: `model.beta` and so on; lists are texts.

    A run that the model stands on has its own settings there, `vision.model.beta`, where they are recorded.
    """
    keys = (*IDENTITY, *_named(config))
    own = {name: value for key in keys for name, value in _leaves(key, trained_on(key, setting(config, key)))}
    parents = setting(config, "run.parents")
    for parent, facts in parents.items() if isinstance(parents, Mapping) else ():
        recorded = facts.get("settings") if isinstance(facts, Mapping) else None
        if isinstance(recorded, Mapping):
            own.pop(f"model.{parent}.id", None)
            own |= {
                f"{parent}.{name}": value
                for name, value in recorded.items()
                if not (name.startswith("dataset.") and own.get(name, _NONE) == value)  # the same images
            }
    return own


def trained_on(key: str, value: Any) -> Any:
    """A part of the config as far as training depends on it; on labels it does where they choose the images."""
    value = without_places(value)
    if key != "dataset" or not isinstance(value, Mapping) or any(value.get(name) for name in _CHOSEN_BY_LABELS):
        return value
    return _without(value, lambda node: {"labels"} if "content" in node else set())


def without_places(value: Any) -> Any:
    """Mappings without the path of what is known by its content, or by the id of the run that it is."""
    return _without(value, _places)


def _places(node: Mapping[str, Any]) -> set[str]:
    return ({"path"} if "content" in node else set()) | (set(SPELLING) if is_parent(node) else set())


def is_parent(node: Any) -> bool:
    """Whether a part of a model names a run that the model stands on, by its settings or by its folder."""
    return isinstance(node, Mapping) and node.keys() >= {"run", "overrides"}


def _without(value: Any, left_out: Callable[[Mapping[str, Any]], set[str]]) -> Any:
    if not isinstance(value, Mapping):
        return value
    names = left_out(value)
    return {key: _without(item, left_out) for key, item in value.items() if key not in names}


def setting(config: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted key in plain nested mappings; None where there is none."""
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def canonical(value: Any) -> Any:
    """`beta: 4` and `beta: 4.0` are one setting, and so are `free_bits: null` and no `free_bits`."""
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in value.items() if not _changes_nothing(key, item)}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            if name != "_partial_" and not _changes_nothing(name, item):
                yield from _leaves(f"{key}.{name}", item)
    elif isinstance(value, list | Mapping):
        yield key, str(value)
    else:
        yield key, canonical(value)


def _changes_nothing(key: Any, value: Any) -> bool:
    is_off = (value is None and key not in _COUNTED_NULLS) or (key in NAMED and value == [])
    return key in ELSEWHERE or is_off


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@cache
def _own_version() -> str:
    return version("disent-runner")
