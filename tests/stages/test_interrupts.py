import logging
import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from disent_runner.machine.interruption import Interrupted, stoppable
from disent_runner.stages.interrupts import Interrupts


def test_a_signal_in_the_midst_of_a_message_waits_for_the_step_and_is_said_at_once(capfd):
    """A handler that logs comes to a stream that is half way in a line, which Python answers with a RuntimeError."""
    depth = 0

    class Signalled(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            nonlocal depth
            depth += 1
            assert depth == 1, "a message within a message"
            os.kill(os.getpid(), signal.SIGTERM)
            depth -= 1

    model: Any = SimpleNamespace(stop_requested=False, step=7)
    handler = Signalled()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with pytest.raises(Interrupted, match="SIGTERM after step 7"), stoppable(), Interrupts(model).heard():
            root.warning("a message")
    finally:
        root.removeHandler(handler)
    assert model.stop_requested
    assert "SIGTERM: finishing this step and saving\n" in capfd.readouterr().err


def test_a_message_that_nobody_can_read_is_none():
    read, write = os.pipe()
    os.close(read)
    before = os.dup(2)
    os.dup2(write, 2)
    handler = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup has us ignore
    model: Any = SimpleNamespace(stop_requested=False, step=7)
    try:
        with pytest.raises(Interrupted, match="SIGHUP after step 7"), stoppable(), Interrupts(model).heard():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, handler)
        os.dup2(before, 2)
        for number in (before, write):
            os.close(number)
    assert model.stop_requested
