"""Bars of progress that keep their numbers on a terminal of any width."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from disent_runner.machine.console import console

_WIDEST, _NARROWEST = 40, 4
"""Characters of a bar; a narrower one shows nothing."""


class Bars(Progress):
    """A line for each task: what it is, a bar, numbers, and the task's `notes`. Nothing where no terminal is.

    Where the terminal is too narrow for all, whole notes go first, from the last on, then the bar, then what it is.
    """

    def __init__(self, *numbers: ProgressColumn, transient: bool = True) -> None:
        self.what, self.bar, self.notes = TextColumn("{task.description}"), BarColumn(), _Notes()
        self.numbers = numbers
        super().__init__(console=console, disable=not console.is_interactive, transient=transient)

    def get_renderables(self) -> Iterable[RenderableType]:
        self._fit(console.width)
        yield from super().get_renderables()

    def _fit(self, width: int) -> None:
        what = self._width([self.what])
        room = width - self._width(self.numbers)
        bar = min(_WIDEST, (room - what) // 3)
        self.columns = self.numbers
        if what <= room:
            room -= what
            self.columns = (self.what, *self.numbers)
            if bar >= _NARROWEST:
                self.bar.bar_width = bar
                self.notes.room = room - bar - 1
                self.columns = (self.what, self.bar, *self.numbers, self.notes)

    def _width(self, columns: Sequence[ProgressColumn]) -> int:
        """Characters that the columns take with the space behind each."""
        return sum(1 + max((_cells(column(task)) for task in self.tasks), default=0) for column in columns)


class _Notes(ProgressColumn):
    """As many of the task's notes as there is room for."""

    room = 0

    def render(self, task: Task) -> Text:
        said = ""
        for note in task.fields.get("notes", ()):
            longer = f"{said}  {note}" if said else note
            if cell_len(longer) > self.room:
                break
            said = longer
        return Text(said)


def _cells(drawn: RenderableType) -> int:
    return drawn.cell_len if isinstance(drawn, Text) else 0
