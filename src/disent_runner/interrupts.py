"""Ctrl-C and SIGTERM: the step under way ends, a checkpoint is written, and the same command goes on from there."""

import logging
import signal
import threading
from types import FrameType
from typing import Any

from pytorch_lightning import Callback, Trainer

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(RuntimeError):
    """Training was stopped from outside after a whole step and its checkpoint."""

    def __init__(self, signum: int, step: int) -> None:
        super().__init__(
            f"stopped by {signal.Signals(signum).name} after step {step}; the same command goes on from there"
        )
        self.signum = signum


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

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)
        self.previous = {}
