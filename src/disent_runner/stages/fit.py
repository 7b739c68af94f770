"""Stage `fit`: train the model, from its newest checkpoint if there is one, and leave checkpoints and train.csv."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import Logger

from disent_runner.datasets.data_module import DataModule, StepPlan
from disent_runner.machine.memory import keep_freed_blocks
from disent_runner.machine.texts import counted
from disent_runner.models.base import AbstractModel
from disent_runner.runs.checkpoints import (
    load_newest_checkpoint,
    remove_older,
    restore,
    restore_random_states,
    save_checkpoint,
)
from disent_runner.runs.train_log import check_train_log
from disent_runner.stages.interrupts import Interrupts
from disent_runner.stages.logging_steps import TrainLog
from disent_runner.stages.progress import TrainingProgress

PRECISIONS = ("32-true", "bf16-mixed")
log = logging.getLogger(__name__)
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # no advertisements between our messages


def fit(
    model: AbstractModel,
    datamodule: DataModule,
    *,
    folder: Path,
    seed: int,
    accelerator: str,
    precision: str,
    loggers: Sequence[Logger] = (),
    scoring: float | None = 0.0,
) -> None:
    """Train `model` up to the plan's last step; `scoring` as in `TrainingProgress`.

    Raises ValueError for another precision, FloatingPointError when a value is not finite, and `Interrupted` after a
    signal; the folder then resumes.
    """
    check_precision(precision)
    folder.mkdir(parents=True, exist_ok=True)
    plan = datamodule.plan
    state = load_newest_checkpoint(folder)
    if state is not None:
        check_train_log(folder)
        remove_older(folder)
        restore(model, state, folder)
    if state is not None and (model.step >= plan.max_steps or not model.takes_steps):
        log.info("fit: done, %s", counted(model.step, "step"))
        return
    if state is None:
        model.learn(datamodule.training, np.random.default_rng(seed))
    if not model.takes_steps:
        save_checkpoint(folder, {"step": 0, "model": model.state_dict(), "optimizers": [], "interval": []})
        log.info("fit: done without optimisation steps, in %s", folder)
        return
    log.info("fit: from step %d to %d in %s", model.step, plan.max_steps, folder)
    keep_freed_blocks()
    train_log, interrupts = TrainLog(folder, plan), Interrupts(model)
    trainer = Trainer(
        accelerator=accelerator,
        devices=1,
        precision=precision,  # pyright: ignore[reportArgumentType] - checked above
        max_epochs=1,
        logger=list(loggers),
        callbacks=[
            train_log,
            Checkpoints(folder, plan, state),
            TrainingProgress(train_log, plan.max_steps, scoring=scoring),
            interrupts,
        ],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        plugins=[LightningEnvironment()],  # one process, also where a cluster's variables say otherwise
    )
    pl.seed_everything(seed, verbose=False)  # whatever the set-up drew, training starts from the seed
    with interrupts.heard(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The `srun` command is available")  # one process needs none
        trainer.fit(model, datamodule)


def check_precision(precision: Any) -> None:
    """Raises ValueError for what nothing here is made for, such as float16, whose losses would have to be scaled."""
    if precision not in PRECISIONS:
        raise ValueError(f"trainer.precision must be {' or '.join(PRECISIONS)}, got {precision!r}")


class Checkpoints(Callback):
    """Saves after the plan's steps and before an interruption; restores what only exists once training starts."""

    def __init__(self, folder: Path, plan: StepPlan, state: Mapping[str, Any] | None) -> None:
        self.folder = folder
        self.plan = plan
        self.state = state

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        if self.state is None:
            return
        for optimizer, saved in zip(trainer.optimizers, self.state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for schedule, saved in zip(pl_module.schedules, self.state.get("schedules", []), strict=True):
            schedule.load_state_dict(saved)
        pl_module.interval = [{k: v.to(pl_module.device) for k, v in values.items()} for values in pl_module.interval]
        restore_random_states(self.state["random"])
        self.state = None  # free its memory

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.plan.is_saved(pl_module.step) or pl_module.stop_requested:
            check_parameters(pl_module)
            save_checkpoint(
                self.folder,
                {
                    "step": pl_module.step,
                    "model": pl_module.state_dict(),
                    "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
                    "interval": pl_module.interval,
                    "schedules": [schedule.state_dict() for schedule in pl_module.schedules],
                },
            )


def check_parameters(model: AbstractModel) -> None:
    """Raises FloatingPointError naming a parameter that is not finite, so that no such checkpoint is written."""
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise FloatingPointError(
                f"parameter {name} is not finite after step {model.step}; the last good checkpoint is kept: "
                "try a smaller optimizer.lr"
            )
