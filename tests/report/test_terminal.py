"""What is printed of a report, on a terminal as people have it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from disent_runner.report.terminal import pieces

SAY = (
    "import sys; from pathlib import Path; from disent_runner.report.making import read, tabulated\n"
    "from disent_runner.report.terminal import say; say(tabulated(*read([Path(sys.argv[1])])), Path('report'))"
)


def printed(folder: Path, width: int) -> list[str]:
    """Lines on a pseudo-terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    environment |= {"TERM": "xterm"}
    command = [sys.executable, "-c", SAY, str(folder)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        content = b""
        try:
            while part := os.read(ours, 65_536):
                content += part
        except OSError:  # how Linux says that the other side is closed
            pass
    os.close(ours)
    assert process.returncode == 0, content.decode()
    return re.sub(r"\x1b\[[\d;]*m", "", content.decode()).splitlines()


def test_settings_with_n_and_four_numbers_stand_in_eighty_columns(mixed_runs, mixed):
    lines = printed(mixed_runs, 80)
    head = next(place for place, line in enumerate(lines) if line.startswith("setting "))
    last = next(place for place, line in enumerate(lines) if line.startswith("…"))
    assert max(map(len, lines[:last])) <= 80
    assert last <= 3 * len(mixed.settings), "two tables of few lines more than settings"
    first = next(line for line in lines[head:] if line.startswith("betavae β=1 ")).split()
    assert len(first) >= len(("betavae", "β=1", "n", "mig", "sap", "dci", "modularity"))
    assert sum("±" in word for word in first) >= 4
    text = "\n".join(lines)
    assert "dsprites (rendered)" in text
    assert "toyfaces (rendered)" in text
    assert lines[-1] == "36 runs of 19 settings: report/index.html"
    (rest,) = (line for line in lines if "more number" in line)
    assert "report/table.md" in rest
    assert rest.endswith(": explicitness, total_correlation")


def test_numbers_stand_in_pieces_that_fit_and_one_at_least():
    assert list(pieces([10, 10, 10, 50, 5], 25)) == [[0, 1], [2], [3], [4]]
    assert list(pieces([10, 10], 20)) == [[0, 1]]
    assert list(pieces([], 20)) == []
