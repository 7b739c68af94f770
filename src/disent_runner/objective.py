"""The number that a search over settings makes as good as it can."""

import importlib
from pathlib import Path

from omegaconf import DictConfig

from disent_runner.run_folder import read_json

_DIRECTIONS = {"higher": "maximize", "lower": "minimize"}


def check_objective(config: DictConfig, direction: str) -> None:
    """Raises ValueError when there is no `config.objective`, or `direction`, minimize or maximize, is its wrong way."""
    if config.objective is None:
        raise ValueError("hydra/sweeper=optuna needs to know what to search for; add objective=mig, or another number")
    modules = [importlib.import_module(metric._target_.rpartition(".")[0]) for metric in config.metric.values()]
    better = {number: way for module in modules for number, way in module.BETTER.items()}.get(config.objective)
    if better is not None and _DIRECTIONS[better] != direction:
        raise ValueError(
            f"objective={config.objective} is better when it is {better}, but hydra.sweeper.direction is {direction}; "
            f"add hydra.sweeper.direction={_DIRECTIONS[better]}"
        )


def objective(config: DictConfig, folder: Path) -> float:
    """The run's number of the name `config.objective`, of the codes that it chooses, at the run's last step.

    Raises ValueError where metrics.json has no such number.
    """
    everything = read_json(folder / "metrics.json", default=[])
    rows = [row for row in everything if row["representation"] == config.representation and row["value"] is not None]
    last = max((row["step"] for row in rows), default=0)
    values = {row["name"]: row["value"] for row in rows if row["step"] == last}
    if config.objective not in values:
        names = ", ".join(values) or "none, no metric was computed"
        raise ValueError(f"objective={config.objective}: the run has no such number; it has {names}")
    return float(values[config.objective])
