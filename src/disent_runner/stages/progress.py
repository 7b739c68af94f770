"""Progress of training: a bar on a terminal, a line now and then in a log."""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pytorch_lightning import Callback, Trainer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from disent_runner.machine.console import console
from disent_runner.models.base import AbstractModel
from disent_runner.stages.logging_steps import TrainLog

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 30.0
_SHOWN = 4
"""How many loss terms fit beside the bar."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("– steps/s" if task.speed is None else f"{task.speed:.1f} steps/s")


class _LiveProgress(Progress):
    """Asks the model for its step at each refresh, so that the training loop itself reports nothing."""

    model: AbstractModel

    def get_renderables(self) -> Iterable[RenderableType]:
        for task_id in self.task_ids:
            self.update(task_id, completed=self.model.step)
        yield from super().get_renderables()


class TrainingProgress(Callback):
    """Steps done, steps per second, time left and the latest loss terms."""

    def __init__(self, train_log: TrainLog, max_steps: int) -> None:
        self.train_log = train_log
        self.max_steps = max_steps
        self.bar: _LiveProgress | None = None

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        self.start_step, self.start_time = pl_module.step, time.monotonic()
        self.last_line = self.start_time
        if console.is_terminal:
            columns = (TextColumn("fit"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
            self.bar = _LiveProgress(*columns, TextColumn("{task.fields[terms]}"), console=console)
            self.bar.model = pl_module
            self.bar.add_task("fit", total=self.max_steps, completed=pl_module.step, terms="")
            self.bar.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], terms=self._terms())
        elif pl_module.step == self.max_steps or time.monotonic() - self.last_line > _SECONDS_BETWEEN_LINES:
            self.last_line = time.monotonic()
            rate = (pl_module.step - self.start_step) / (self.last_line - self.start_time)
            left = timedelta(seconds=round((self.max_steps - pl_module.step) / rate))
            log.info(
                "fit: step %d of %d, %.1f steps/s, %s left; %s",
                pl_module.step,
                self.max_steps,
                rate,
                left,
                self._terms(),
            )

    def _terms(self) -> str:
        return "  ".join(f"{name} {value:.4g}" for name, value in list(self.train_log.latest.items())[:_SHOWN])

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
