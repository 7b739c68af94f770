"""Classes of the user's own, beside where a command is typed: looked for there only once a config names some."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import OmegaConf

_INSTALLED = ("disent_runner.", "torch.", "pytorch_lightning.")
_Node = TypeVar("_Node")


def found_here(node: _Node) -> _Node:
    """The node itself; where it names classes of others, the working directory is searched too, last of all.

    Not before: a folder that one only works in may hold `hydra_plugins`, or modules called as optional libraries are,
    which would be run.
    """
    plain = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
    here = str(Path.cwd())
    if here not in sys.path and any(not str(name).startswith(_INSTALLED) for _, name in targets(plain)):
        sys.path.append(here)
    return node


def targets(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Place and value of every `_target_` in plain mappings and lists."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield place, node["_target_"]
        for key, value in node.items():
            yield from targets(value, f"{place}.{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from targets(value, f"{place}.{number}")
