"""Metrics by name, with the settings of their config files, for those who have arrays and no command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from disent_runner.assembly.build import Entries, build_metrics
from disent_runner.assembly.conf import CONF, choices
from disent_runner.assembly.mistakes import closest

Asked = str | Sequence[str] | Mapping[str, Mapping[str, Any] | None]
"""A name, names, or names with settings; a name is a metric's, or a preset's: all, fast, paper."""


def chosen_metrics(asked: Asked) -> Entries:
    """The metrics of these names, as `metric=[…]` chooses them.

    Raises ValueError for a name that no metric or preset has, and for a setting that the metric has not.
    """
    wanted = {asked: None} if isinstance(asked, str) else asked
    settings = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(wanted)
    nodes = {name: settings.get(name) for preset in settings for name in members(preset)}
    return build_metrics(
        OmegaConf.create({"metric": {name: _node(name, changes or {}) for name, changes in nodes.items()}})
    )


def members(name: str) -> list[str]:
    """The metrics that a name stands for."""
    metrics = choices("metric")
    if name in metrics:
        return [name]
    if name == "all":
        return metrics
    preset = CONF / "metric" / f"{name}.yaml"
    presets = sorted({"all", *(path.stem for path in (CONF / "metric").glob("*.yaml"))} - set(metrics))
    if name not in presets:
        known = [*presets, *metrics]
        raise ValueError(f"metric={name}: no such metric{closest(name, known)}; choose from {', '.join(known)}")
    return list(OmegaConf.load(preset).defaults)


def _node(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    node: Any = OmegaConf.to_container(OmegaConf.load(CONF / "metric" / f"{name}.yaml"))
    unknown = [key for key in settings if key not in node[name] or key.startswith("_")]
    if unknown:
        known = [key for key in node[name] if not key.startswith("_")]
        raise ValueError(f"metric.{name}.{unknown[0]}: no such key; keys here: {', '.join(known) or 'none'}")
    return {**node[name], **settings}
