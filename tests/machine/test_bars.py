import io

import pytest
from rich.console import Console
from rich.progress import MofNCompleteColumn, ProgressColumn
from rich.text import Text

from disent_runner.machine import bars
from disent_runner.machine.bars import Bars


class Rate(ProgressColumn):
    def render(self, task):
        return Text("123.4 steps/s")


@pytest.fixture
def line(monkeypatch):
    """What a terminal of so many characters shows of a task in the midst of it."""

    def drawn(width: int, *, notes=(), encoding: str = "utf-8") -> str:
        raw = io.BytesIO()
        terminal = Console(
            file=io.TextIOWrapper(raw, encoding=encoding), width=width, force_terminal=True, force_interactive=True
        )
        monkeypatch.setattr(bars, "console", terminal)
        bar = Bars(MofNCompleteColumn(), Rate())
        bar.add_task("fit", total=300_000, completed=150_000, notes=notes)
        with terminal.capture() as captured:
            terminal.print(bar.get_renderable(), no_wrap=True)
        (only,) = Text.from_ansi(captured.get()).plain.splitlines()
        return only.rstrip()

    return drawn


TERMS = ("loss 2345.6", "reconstruction 2345.6", "kl 12.34")
NUMBERS = "150000/300000 123.4 steps/s"


@pytest.mark.parametrize(
    ("width", "notes"), [(200, TERMS), (90, TERMS[:2]), (80, TERMS[:1]), (60, TERMS[:1]), (45, ()), (40, ()), (30, ())]
)
def test_the_numbers_stay_and_whole_terms_go(line, width, notes):
    shown = line(width, notes=TERMS)
    assert len(shown) <= width
    assert NUMBERS in shown
    assert shown.endswith(f"{NUMBERS} {'  '.join(notes)}".rstrip())
    assert shown.startswith("fit") == (width > 30)
    assert ("━━" in shown) == (width > 43)


def test_a_terminal_without_the_letters_has_a_bar_too(line):
    assert "---" in line(80, encoding="ascii")
