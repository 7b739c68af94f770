import errno
import fcntl
import logging
import threading

import pytest

from disent_runner.machine import turns
from disent_runner.machine.turns import in_turn


def test_who_waits_says_for_what(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(turns, "SECONDS_OF_SILENCE", 0.01)
    caplog.set_level(logging.INFO)
    held, order = threading.Event(), []

    def first():
        with in_turn(tmp_path / "images.h5"):
            held.set()
            while not caplog.messages:
                pass
            order.append("first")

    other = threading.Thread(target=first)
    other.start()
    assert held.wait(10)
    with in_turn(tmp_path / "images.h5"):
        order.append("second")
    other.join()
    assert order == ["first", "second"]
    assert caplog.messages == [f"waiting for another process, which is making {tmp_path}/images.h5"]


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def flock(number, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    message = f"cannot write {tmp_path}/images.h5: No locks available; set data_dir to a folder where"
    with pytest.raises(OSError, match=message), in_turn(tmp_path / "images.h5"):
        pass
