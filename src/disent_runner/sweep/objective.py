"""The number that a search over settings makes as good as it can."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from disent_runner.representations.numbers import Number, numbers_of
from disent_runner.runs.scores import number

_DIRECTIONS = {"higher": "maximize", "lower": "minimize"}


def check_objective(name: str | None, metrics: Mapping[str, Callable[..., Any]], direction: str) -> None:
    """Raises ValueError when there is no `config.objective`, or `direction`, minimize or maximize, is its wrong way."""
    if name is None:
        raise ValueError("hydra/sweeper=optuna needs to know what to search for; add objective=mig, or another number")
    declared: dict[str, Number] = {number.name: number for metric in metrics.values() for number in numbers_of(metric)}
    better = declared[name].better if name in declared else None
    if better is not None and _DIRECTIONS[better] != direction:
        raise ValueError(
            f"objective={name} is better when it is {better}, but hydra.sweeper.direction is {direction}; "
            f"add hydra.sweeper.direction={_DIRECTIONS[better]}"
        )


def objective(config: DictConfig, folder: Path) -> float:
    """The run's number of the name `config.objective`, of the codes and factors that it chooses, at its last step.

    Raises ValueError where metrics.json has no such number.
    """
    try:
        return number(folder, config.objective, representation=config.representation, factors=config.factors)
    except ValueError as error:
        raise ValueError(f"objective={config.objective}: {error}") from None
