"""Ctrl-C, SIGTERM, a cluster's signals: the step under way ends, a checkpoint is written, the same command goes on."""

import logging
import signal
import threading
from types import FrameType
from typing import Any

from pytorch_lightning import Callback, Trainer

from disent_runner.runs.status import Interrupted

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""The last two are what SLURM is asked to send some time before it kills."""


class Interrupts(Callback):
    """Turns the first signal into a request to stop; a second Ctrl-C stops at once. Comes after the checkpoints."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.previous: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may set handlers; whoever runs us in another handles signals itself

        def request_stop(signum: int, frame: FrameType | None) -> None:
            if self.signum is not None and signum == signal.SIGINT:
                raise KeyboardInterrupt
            self.signum = signum
            pl_module.stop_requested = True
            log.warning("%s: finishing this step and saving", signal.Signals(signum).name)

        self.previous = {signum: signal.signal(signum, request_stop) for signum in _SIGNALS}

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.signum is not None:
            raise Interrupted(self.signum, pl_module.step)

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        self._restore()

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        self._restore()

    def _restore(self) -> None:
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)
        self.previous = {}
