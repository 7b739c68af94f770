"""What is printed where nobody reads it, or where there is no room for it; each in a process of its own."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

GOES_ON = """
import sys
from disent_runner.machine.output import forgiving_output, is_read
forgiving_output(at_any_cost={at_any_cost})
{before}
for word in ("first", "α second", "third"):
    print(word, flush=True)
    print(word, file=sys.stderr)
open({path!r}, "w").write(f"went on, is read: {{is_read()}}")
"""


@pytest.fixture
def type_in(tmp_path: Path):
    """Exit code and errors of a command whose standard streams are those given, and what it wrote elsewhere."""

    def call(*, at_any_cost: bool = False, before: str = "", **streams) -> tuple[int, str, str]:
        path = tmp_path / "left"
        code = GOES_ON.format(at_any_cost=at_any_cost, before=before, path=str(path))
        environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, **{"stderr": subprocess.PIPE, **streams}, timeout=60
        )
        return done.returncode, (done.stderr or b"").decode("latin-1"), path.read_text() if path.exists() else ""

    return call


def test_what_its_reader_left_is_dropped(type_in):
    read, write = os.pipe()
    os.close(read)
    said = "first\n? second\nthird\n"
    assert type_in(stdout=write) == (0, said, "went on, is read: False")
    assert type_in(stdout=write, stderr=write) == (0, "", "went on, is read: False")
    os.close(write)


def test_what_a_closed_terminal_showed_is_dropped(type_in):
    master, terminal = pty.openpty()
    os.close(master)
    left = type_in(stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    assert left == (0, "", "went on, is read: False")
    os.close(terminal)


def test_streams_that_were_closed_from_the_start_are_no_file_s(type_in, tmp_path):
    """The file that is opened first would have got all that is printed."""
    closed = {"preexec_fn": lambda: [os.close(number) for number in range(3)]}
    opened = f"file = open({str(tmp_path / 'opened')!r}, 'w')"
    code, _, left = type_in(before=opened, stderr=None, **closed)
    assert (code, left) == (0, "went on, is read: True")
    assert (tmp_path / "opened").read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk")
@pytest.mark.parametrize(("at_any_cost", "expected"), [(True, 0), (False, 1)])
def test_a_full_disk_ends_what_is_done_for_its_output_alone(type_in, at_any_cost, expected):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        code, errors, left = type_in(stdout=full, at_any_cost=at_any_cost)
    assert code == expected
    assert left == ("went on, is read: True" if at_any_cost else "")
    assert errors.count("No space left on device") == (not at_any_cost)


def test_a_pipe_that_does_not_wait_is_waited_for(type_in):
    """Node and others leave standard output so: a write that finds it full is an error of Python's."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    reader = subprocess.Popen(["sh", "-c", "sleep 0.3; wc -c"], stdin=read, stdout=subprocess.PIPE)
    os.close(read)
    code, errors, _ = type_in(stdout=write, before="print('x' * 200_000, flush=True)")
    os.close(write)
    assert (code, errors) == (0, "first\n? second\nthird\n")
    assert int(reader.communicate()[0]) == 200_001 + len(errors)
