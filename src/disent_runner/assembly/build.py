"""From the composed config to objects; beside `dataset_choice`, for cards alone, the only caller of `instantiate`."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.loggers import Logger

from disent_runner.assembly.dataset_choice import choice_of, open_choice
from disent_runner.assembly.own_classes import found_here
from disent_runner.assembly.recorded import recorded_config
from disent_runner.datasets.data_module import DataModule, StepPlan
from disent_runner.datasets.info import DatasetInfo
from disent_runner.loggers.mirror import Mirror, RunNotes
from disent_runner.models.base import AbstractModel
from disent_runner.models.frozen import Frozen
from disent_runner.runs.checkpoints import load_trained
from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.lineage import (
    Parent,
    check_parents,
    folder_of,
    is_beside,
    named_parents,
    parent_of,
    weights_hash,
)
from disent_runner.runs.record import named_record, recordable, recorded_facts, trained_info

_OURS = "is_ours"
"""Key of a recorded config, while it is built from: whether it was made here."""
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


def build_model(
    config: DictConfig,
    info: DatasetInfo,
    *,
    folder: Path | None = None,
    below: Mapping[str, Frozen] | None = None,
    above: tuple[Path, ...] = (),
) -> AbstractModel:
    """The model with the weights that its seed gives it, standing on the trained runs that its config names.

    These are looked for beside the run's own `folder` too, which may have been moved with them; not those that are
    given, by their names, in `below`. `above` are folders of runs that stand on it. Raises ValueError where a setting
    is lacking, or one too many, and as `frozen_run` for a run that is not there or another one, or whose weights are
    others than the folder's run had.
    """
    found: dict[str, tuple[Frozen, tuple[Parent, Path]]] = {}
    given = below or {}
    for name, node in named_parents(OmegaConf.to_container(config.model)).items():
        if name in given:
            continue
        found[name] = frozen_run(name, node, config, child=folder, above=above)
    torch.manual_seed(config.seed)
    try:
        model = _factory(config.model)(info=info, **given, **{name: frozen for name, (frozen, _) in found.items()})
    except TypeError as error:
        if "__init__() missing" in str(error) or "__init__() got an unexpected" in str(error):
            raise ValueError(f"the part `model` of the config: {error}") from error
        raise
    if not isinstance(model, AbstractModel):
        raise ValueError(f"model._target_ must be a disent_runner AbstractModel, got {type(model).__name__}")
    model.check_batch_size(config.dataset.batch_size)
    model.check_weights()
    compile_networks(model, config.trainer.compile)
    model.parents = {name: parent for name, (_, parent) in found.items()}
    if folder is not None:
        check_parents(recorded_facts(folder), {name: parent for name, (parent, _) in model.parents.items()}, folder)
    return model


def frozen_run(
    name: str, node: Mapping[str, Any], config: DictConfig, *, child: Path | None, above: tuple[Path, ...] = ()
) -> tuple[Frozen, tuple[Parent, Path]]:
    """The trained run that a model's keyword takes, which it is, and where it lies; `config` is that of its `child`.

    What was made by settings that were typed with the child's may be of classes of one's own, and so may what it stands
    on, as long as it lies in the same output_root: a recorded folder may lead anywhere.

    Raises FileNotFoundError where it is not there, ValueError where another one is, where it is damaged, or one of the
    runs `above`.
    """
    place = folder_of(name, node, child=child)
    folder = run_folder_of(str(place))
    if folder in above:
        raise ValueError(f"{name}: {folder} stands on itself; type the command of that run, which writes its config")
    is_typed, is_trusted = config.get("run") is None, config.get("trust") is True
    is_ours = node["run"] is None and (is_typed or (config.get(_OURS) is True and is_beside(folder, child)))
    recorded = recorded_config(folder, trust=is_trusted or is_ours)
    recorded.trainer.compile = False
    with open_dict(recorded):
        recorded.trust, recorded[_OURS] = is_trusted, is_ours
    info = trained_info(named_record(folder)["run"])
    model = build_model(recorded, info, folder=folder, above=(*above, folder))
    load_trained(model, folder, checkpoint=str(place))
    parent = parent_of(folder, step=model.step, weights=weights_hash(model.state_dict()))
    return Frozen(model, info), (parent, folder)


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
