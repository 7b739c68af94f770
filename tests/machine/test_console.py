import logging

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
