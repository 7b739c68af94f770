"""From the composed config to objects; beside `dataset_choice`, for cards alone, the only caller of `instantiate`."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from disent_runner.assembly.dataset_choice import choice_of, open_choice
from disent_runner.assembly.own_classes import found_here
from disent_runner.datasets.data_module import DataModule, StepPlan
from disent_runner.datasets.info import DatasetInfo
from disent_runner.loggers.mirror import Mirror, RunNotes
from disent_runner.models.base import AbstractModel
from disent_runner.runs.record import recordable

COMPILE_MODES = ("default", "reduce-overhead", "max-autotune")

Entries = Mapping[str, Callable[..., Any]]
"""Metrics or figures by name, their settings filled in."""


def build_data(config: DictConfig) -> DataModule:
    plan = StepPlan(
        max_steps=config.trainer.max_steps,
        log_every=config.trainer.log_every,
        checkpoint_every=config.trainer.checkpoint_every,
    )
    choice, asked = choice_of(config), config.dataset
    return DataModule(
        open_choice(choice).subset(choice.subset),
        split=_instantiate(asked.split),
        joint=_instantiate(asked.joint),
        batch_size=asked.batch_size,
        replacement=asked.replacement,
        dequantize=asked.dequantize,
        seed=config.seed,
        plan=plan,
        on_device=config.trainer.data_on_device,
    )


def build_model(config: DictConfig, info: DatasetInfo) -> AbstractModel:
    """The model with the weights that its seed gives it. ValueError where a setting is lacking, or one too many."""
    torch.manual_seed(config.seed)
    try:
        model = _factory(config.model)(info=info)
    except TypeError as error:
        if "__init__() missing" in str(error) or "__init__() got an unexpected" in str(error):
            raise ValueError(f"the part `model` of the config: {error}") from error
        raise
    if not isinstance(model, AbstractModel):
        raise ValueError(f"model._target_ must be a disent_runner AbstractModel, got {type(model).__name__}")
    model.check_batch_size(config.dataset.batch_size)
    model.check_weights()
    compile_networks(model, config.trainer.compile)
    return model


def compile_networks(model: AbstractModel, mode: bool | str) -> None:
    """Leave torch.compile's code in place of the networks' own; `mode` is one of its modes, or false for none.

    Losses and optimisers stay as they are. Raises ValueError for another mode.
    """
    if mode is False:
        return
    if mode not in COMPILE_MODES:
        raise ValueError(f"trainer.compile must be false, {', '.join(COMPILE_MODES)}, got {mode!r}")
    for network in model.children():
        network.compile(mode=str(mode))


def build_metrics(config: DictConfig) -> Entries:
    return _instantiate(config.get("metric") or {})


def build_figures(config: DictConfig) -> Entries:
    return _instantiate(config.get("figure") or {})


def build_loggers(config: DictConfig, notes: RunNotes) -> list[Logger]:
    """Those of the config; one that is `_partial_` takes the run's notes."""
    made = _instantiate(config.get("logger") or {}).values()
    loggers: list[Logger] = [make(run=notes) if isinstance(make, partial) else make for make in made]
    for logger in loggers:
        logger.log_hyperparams(recordable(config))
    return loggers


def close_loggers(loggers: list[Logger], *, status: str) -> None:
    """Flush every logger; W&B's run ends here, so that the next job of a sweep gets its own."""
    for logger in loggers:
        if isinstance(logger, Mirror) and status == "success":
            logger.log_folder()
        logger.finalize(status)
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish(exit_code=0 if status == "success" else 1)


def _instantiate(node: Any) -> Any:
    return instantiate(found_here(node), _convert_="all")


def _factory(node: Any) -> Callable[..., Any]:
    """The node's target with its settings, to be called with objects: `instantiate` itself would turn a dataclass
    among its arguments into a dictionary.
    """
    return instantiate(found_here(node), _convert_="all", _partial_=True)
