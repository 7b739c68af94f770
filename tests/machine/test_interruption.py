import os
import signal
from contextlib import suppress

import pytest

from disent_runner.machine.interruption import OF_A_TERMINAL, Interrupted, stoppable, stopping_later


@pytest.mark.parametrize("signum", OF_A_TERMINAL)
def test_a_signal_ends_what_goes_on_after_errors(signum):
    before = signal.signal(signum, signal.SIG_DFL)  # the tests themselves may have been begun by nohup
    try:
        with pytest.raises(Interrupted) as caught, stoppable(), suppress(Exception):  # as around a metric
            os.kill(os.getpid(), signum)
        assert signal.getsignal(signum) == signal.SIG_DFL
    finally:
        signal.signal(signum, before)
    assert caught.value.code == 128 + signum
    assert str(caught.value) == f"stopped by {signum.name}; the same command goes on from there"


def test_training_hears_of_it_and_decides(monkeypatch):
    heard = []
    with stoppable(), stopping_later(heard.append):
        os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_what_nohup_began_outlives_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
