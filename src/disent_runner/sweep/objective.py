"""The number that a search over settings makes as good as it can."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from disent_runner.assembly.build import build_metrics
from disent_runner.assembly.conf import choices
from disent_runner.assembly.mistakes import closest
from disent_runner.representations.numbers import Number, labels_of, number_of
from disent_runner.runs.scores import number

DIRECTIONS = {"higher": "maximize", "lower": "minimize"}
_MOST_NAMES = 12


def check_objective(config: DictConfig) -> Number:
    """What is declared of `config.objective`. Raises ValueError where no run of the config would have that number."""
    name = config.objective
    if not isinstance(name, str):
        raise ValueError(f"objective is one number, such as mig, got {name}")
    if "evaluate" not in config.stages:
        stages = ",".join(map(str, config.stages))
        raise ValueError(f"objective={name} is a number of the stage evaluate, which 'stages=[{stages}]' leaves out")
    metrics = build_metrics(config)
    declared = next(_declared(name, metrics), None)
    if declared is None:
        raise ValueError(f"objective={name}: {_no_such_number(name, metrics)}")
    return declared


def _declared(name: str, metrics: Mapping[str, Callable[..., Any]]) -> Iterator[Number]:
    for metric in metrics.values():
        found = number_of(metric, name)
        if found is not None and (found.name == name or name not in choices("metric")):  # mig_exact is none of mig
            yield found


def _no_such_number(name: str, metrics: Mapping[str, Callable[..., Any]]) -> str:
    if name in choices("metric"):
        return f"that metric is not chosen; 'metric=[{','.join([*metrics, name])}]' has it"
    labels = [label for metric in metrics.values() for label in labels_of(metric)]
    hint = closest(name, labels)
    known = ", ".join(labels) if len(labels) <= _MOST_NAMES else "those of docs/metrics"
    return f"no chosen metric gives that number{hint}; choose from {known or 'those of a metric'}"


def direction_of(config: DictConfig, declared: Number) -> str:
    """Whether to maximize or minimize. Raises ValueError for another word, for several, and for the wrong way."""
    name, better = config.objective, DIRECTIONS.get(declared.better or "")
    asked = config.hydra.sweeper.direction
    asked = getattr(asked, "name", asked)
    if asked is None:
        if better is None:
            raise ValueError(f"objective={name} has no better way; add hydra.sweeper.direction=maximize or minimize")
        return better
    if asked not in DIRECTIONS.values():
        raise ValueError(f"hydra.sweeper.direction must be maximize or minimize, for one objective, got {asked}")
    if better is not None and better != asked:
        raise ValueError(
            f"objective={name} is better when it is {declared.better}, but hydra.sweeper.direction is {asked}; "
            f"leave it out, or set hydra.sweeper.direction={better}"
        )
    return asked


def objective(config: DictConfig, folder: Path) -> float:
    """The run's number of the name `config.objective`, of the codes and factors that it chooses, at its last step.

    Raises ValueError where metrics.json has no such number.
    """
    try:
        return number(folder, config.objective, representation=config.representation, factors=config.factors)
    except ValueError as error:
        raise ValueError(f"objective={config.objective}: {error}") from None
