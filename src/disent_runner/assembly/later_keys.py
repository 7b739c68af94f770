"""Keys that came after the version that wrote a config.yaml, with the defaults that they have now."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.conf import CONF


def with_later_keys(config: DictConfig) -> DictConfig:
    """The recorded config with what it lacks of the data set's, the trainer's, the evaluation's and the model's keys.

    What the model is made of (networks, likelihood, optimizers) is never taken from elsewhere.
    """
    for file, nodes in (("run.yaml", ("dataset",)), ("trainer/paper.yaml", ("trainer", "evaluation"))):
        defaults: Any = OmegaConf.load(CONF / file)
        for node in nodes:
            config[node] = OmegaConf.merge(defaults[node], config.get(node) or {})
    file = _file_of(config)
    if file is not None:
        config.model = OmegaConf.merge(_plain_defaults(file), config.model)
    return config


def _file_of(config: DictConfig) -> Path | None:
    """conf/model's file of the recorded model: that of its name, where it was recorded, else the one of its class."""
    target, name = config.model.get("_target_"), (config.get("run") or {}).get("model_name")
    files = [path for path in sorted((CONF / "model").glob("[!_]*.yaml")) if _content(path).get("_target_") == target]
    return next((path for path in files if path.stem == name), files[0] if len(files) == 1 else None)


def _plain_defaults(path: Path) -> dict[str, Any]:
    """What the file, and those that it builds on, says in numbers, words and lists of them."""
    content, plain = _content(path), {}
    for base in content.pop("defaults", ()):
        if isinstance(base, str) and base != "_self_":
            plain |= _plain_defaults(path.with_name(f"{base}.yaml"))
    return plain | {key: value for key, value in content.items() if type(value) is not dict and "${" not in str(value)}


def _content(path: Path) -> dict[str, Any]:
    content: Any = OmegaConf.to_container(OmegaConf.load(path))
    return content
