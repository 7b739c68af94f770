"""The callback that logs: a row of train.csv after each interval of steps, mirrored to the loggers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer

from disent_runner.datasets.data_module import StepPlan
from disent_runner.models.base import AbstractModel
from disent_runner.runs.train_log import append_row, forget_after


class TrainLog(Callback):
    """Writes a row of means after each interval of `plan.log_every` steps, and mirrors it to the trainer's loggers."""

    def __init__(self, folder: Path, plan: StepPlan) -> None:
        self.folder = folder
        self.plan = plan
        self.latest: Mapping[str, float] = {}

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        forget_after(self.folder, pl_module.step)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        model: AbstractModel = pl_module
        if not self.plan.is_logged(model.step):
            return
        self.latest = model.take_interval()
        append_row(self.folder, {"step": model.step, **self.latest})
        for logger in trainer.loggers:
            logger.log_metrics({f"train/{name}": value for name, value in self.latest.items()}, step=model.step)
