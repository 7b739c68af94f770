"""The processes that draw do not outlive the report."""

import os
import signal
import subprocess
import sys
import time

import pytest

CODE = """
import os, time
from disent_runner.report.making import at_work
with at_work() as processes:
    print(*{processes.submit(os.getpid).result() for _ in range(4)}, flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGKILL])
def test_who_draws_ends_with_the_report(signum):
    with subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as report:
        assert report.stdout is not None
        workers = [int(pid) for pid in report.stdout.readline().split()]
        report.send_signal(signum)
        report.wait(20)
    deadline = time.monotonic() + 20
    while any(map(is_there, workers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(is_there, workers))


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
