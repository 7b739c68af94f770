"""Progress of training: a bar on a terminal, a line now and then in a log."""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pytorch_lightning import Callback, Trainer
from rich.console import RenderableType
from rich.progress import MofNCompleteColumn, ProgressColumn, Task
from rich.text import Text

from disent_runner.machine.bars import Bars
from disent_runner.machine.console import console
from disent_runner.models.base import AbstractModel
from disent_runner.stages.logging_steps import TrainLog

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 30.0
_SHOWN = 4
"""Loss terms beside the bar, where there is room, and in a line of a log."""


class _Rate(ProgressColumn):
    def __init__(self, environment_steps: int) -> None:
        super().__init__()
        self.environment_steps = environment_steps

    def render(self, task: Task) -> Text:
        return Text("– steps/s" if task.speed is None else rate_text(task.speed, self.environment_steps))


class _TimeLeft(ProgressColumn):
    def __init__(self, scoring: float | None) -> None:
        super().__init__()
        self.scoring = scoring

    def render(self, task: Task) -> Text:
        return Text("–:––:–– left" if task.time_remaining is None else time_left(task.time_remaining, self.scoring))


def rate_text(steps: float, environment_steps: int) -> str:
    """`12.3 steps/s`; of what acts, `12.3 steps/s, 787 of environments`."""
    acted = f", {steps * environment_steps:.0f} of environments" if environment_steps else ""
    return f"{steps:.1f} steps/s{acted}"


def time_left(training: float, scoring: float | None) -> str:
    """`1:02:03 left` of both, from seconds; `1:02:03 + scores` where nobody knows how long scoring will take."""
    if scoring is None:
        return f"{timedelta(seconds=round(training))} + scores"
    return f"{timedelta(seconds=round(training + scoring))} left"


class _LiveProgress(Bars):
    """Asks the model for its step at each refresh, so that the training loop itself reports nothing."""

    model: AbstractModel

    def get_renderables(self) -> Iterable[RenderableType]:
        for task_id in self.task_ids:
            self.update(task_id, completed=self.model.step)
        yield from super().get_renderables()


class TrainingProgress(Callback):
    """Steps done, steps per second, time left and the latest loss terms.

    `scoring`: seconds that come after training, 0 where nothing does, None where they are not known.
    """

    def __init__(self, train_log: TrainLog, max_steps: int, *, scoring: float | None = 0.0) -> None:
        self.train_log = train_log
        self.max_steps = max_steps
        self.scoring = scoring
        self.bar: _LiveProgress | None = None

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        self.start_step, self.start_time = pl_module.step, time.monotonic()
        self.last_line = self.start_time
        if console.is_interactive:  # a dumb terminal has no bars
            self.bar = _LiveProgress(
                MofNCompleteColumn(), _Rate(pl_module.environment_steps), _TimeLeft(self.scoring), transient=False
            )
            self.bar.model = pl_module
            self.bar.add_task("fit", total=self.max_steps, completed=pl_module.step)
            self.bar.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], notes=self._terms())
        elif pl_module.step == self.max_steps or time.monotonic() - self.last_line > _SECONDS_BETWEEN_LINES:
            self.last_line = time.monotonic()
            rate = (pl_module.step - self.start_step) / (self.last_line - self.start_time)
            log.info(
                "fit: step %d of %d, %s, %s; %s",
                pl_module.step,
                self.max_steps,
                rate_text(rate, pl_module.environment_steps),
                time_left((self.max_steps - pl_module.step) / rate, self.scoring),
                "  ".join(self._terms()),
            )

    def _terms(self) -> list[str]:
        return [f"{name} {value:.4g}" for name, value in list(self.train_log.latest.items())[:_SHOWN]]

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
