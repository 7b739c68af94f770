import logging
import os
import subprocess
import sys

from disent_runner.machine.console import Formatter


def said(name: str, message: str) -> str:
    record = logging.LogRecord(name, logging.INFO, "", 0, "left out: %s", (message,), None)
    return Formatter("12:00 %(message)s").format(record)


def test_a_message_obeys_nobody_and_is_one_line():
    """A name with an end of line is no second message."""
    assert said("disent_runner.stages.draw", "\x1b[31mred\nevaluate: done") == (
        r"12:00 left out: \x1b[31mred\nevaluate: done"
    )


def test_lines_of_libraries_and_tracebacks_stay():
    assert said("traceback", "Traceback\n  \x1b[31m") == "12:00 left out: Traceback\n  \\x1b[31m"


def test_a_process_of_a_launcher_draws_no_bars():
    """On a terminal, which it shares with the others."""
    ask = "__import__('disent_runner.machine.console').machine.console.console.is_interactive"
    code = (
        "from multiprocessing import get_context\n"
        f"with get_context('spawn').Pool(1) as pool:\n    print({ask}, pool.apply(eval, ({ask!r},)))"
    )
    reader, terminal = os.openpty()
    try:
        environment = {**os.environ, "TERM": "xterm"}
        subprocess.run([sys.executable, "-c", code], stdout=terminal, env=environment, check=True)
        assert os.read(reader, 1000).split() == [b"True", b"False"]
    finally:
        os.close(reader)
        os.close(terminal)
