"""Ctrl-C, SIGTERM, a cluster's signals in training: the step ends, a checkpoint is written, the command goes on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytorch_lightning import Callback, Trainer

from disent_runner.machine.interruption import Interrupted, listen, say_at_once, stopping_later
from disent_runner.models.base import AbstractModel


class Interrupts(Callback):
    """Turns the first signal into a request to stop; a second Ctrl-C stops at once. Comes after the checkpoints."""

    def __init__(self, model: AbstractModel) -> None:
        self.model = model
        self.signum: int | None = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Training takes place in here."""
        with stopping_later(self._request):
            yield
        self._stop()  # what came after the last step

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        listen()  # the Trainer has put a handler of its own before ours, and takes it back at its end

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self._stop()

    def _request(self, signum: int) -> None:
        if self.signum is not None and signum == signal.SIGINT:
            raise Interrupted(signum)
        self.signum = signum
        self.model.stop_requested = True
        say_at_once(f"{signal.Signals(signum).name}: finishing this step and saving")

    def _stop(self) -> None:
        if self.signum is not None:
            raise Interrupted(self.signum, self.model.step)
