"""Sweeps seen from elsewhere: what `disent-report --watch` shows."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.text import Text

from disent_runner.machine.console import console
from disent_runner.machine.files import read_json
from disent_runner.machine.output import is_read
from disent_runner.machine.texts import printable
from disent_runner.sweep.board import PROGRESS, SECONDS_BETWEEN_LOOKS, progress_text
from disent_runner.sweep.jobs import Job, Standing, standing

_UNDER_WAY = ("queued", "running")
LOOKS_UNTIL_LEFT = 15
"""At a sweep of which nothing changes, which writes its progress as often itself, until nobody is taken to be at it."""


def watch(folders: Sequence[Path]) -> None:
    """Show every sweep below the folders, until all of their runs have come to an end, or nobody works on the others.

    Nothing is written. Raises FileNotFoundError where there is no sweep, ValueError where a sweep.json is damaged.
    """
    sweeps = [path for folder in folders for path in sorted(_sweeps_below(folder))]
    if not sweeps:
        raise FileNotFoundError(f"no sweep in {', '.join(map(str, folders))}; a sweep leaves sweeps/<id>/sweep.json")
    boards: dict[Path, Mapping[Job, Standing]] = {}
    signs: list[Any] = []
    with Live(console=console, auto_refresh=False) as live:
        while True:
            boards = {path: standings_of(path, boards.get(path, {})) for path in sweeps}
            lines = [f"{path.parent.name}: {progress_text(standings)}" for path, standings in boards.items()]
            states = {now.state for standings in boards.values() for now in standings.values()}
            signs = [*signs, _signs_of_life(sweeps, boards)][-LOOKS_UNTIL_LEFT:]
            is_left = len(signs) == LOOKS_UNTIL_LEFT and signs.count(signs[-1]) == LOOKS_UNTIL_LEFT
            has_ended = "waiting" not in states or is_left
            if has_ended and states.isdisjoint(_UNDER_WAY):
                left = [line for path, standings in boards.items() if (line := _left_line(path, standings))]
                live.update(Text("\n".join([*lines, *left])), refresh=True)
                return
            live.update(Text("\n".join(lines)), refresh=True)
            if not is_read():  # its terminal was closed
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _signs_of_life(sweeps: Sequence[Path], boards: Mapping[Path, Mapping[Job, Standing]]) -> Any:
    """What changes while somebody works on one of the sweeps; no clock of another machine is compared with ours."""
    written = [path.with_name(PROGRESS).stat().st_mtime_ns for path in sweeps if path.with_name(PROGRESS).exists()]
    return written, [[now.state for now in standings.values()] for standings in boards.values()]


def _left_line(path: Path, standings: Mapping[Job, Standing]) -> str | None:
    """Of a sweep that waits for somebody to type it again."""
    if not any(now.state == "waiting" for now in standings.values()):
        return None
    command = printable(str(read_json(path, default={}).get("command", "its command")))
    return f"{path.parent.name}: nobody works on it now; the same command goes on: {command}"


def standings_of(path: Path, before: Mapping[Job, Standing] | None = None) -> Mapping[Job, Standing]:
    """How far the runs of a sweep.json are; one that was done `before` stays done."""
    sweep, root = read_json(path, default={"runs": []}), path.absolute().parents[2]
    try:
        jobs = [
            Job((), str(run["label"]), beside(Path(run["folder"]), root), str(run["request"])) for run in sweep["runs"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error} is missing or something else); delete it") from None
    done = {job: was for job, was in (before or {}).items() if was.state == "done"}
    return {job: done.get(job) or standing(job) for job in jobs}


def beside(folder: Path, root: Path) -> Path:
    """Where a run folder is that was recorded with its whole path: a sweep may have been moved, or copied, together
    with its runs, which then lie below `root` as they did below another folder.
    """
    if folder.is_relative_to(root) and folder.is_dir():
        return folder
    parts = folder.parts[1:]
    moved = (root.joinpath(*parts[first:]) for first in range(len(parts)))
    return next((path for path in moved if path.is_dir()), folder)


def _sweeps_below(folder: Path) -> Iterator[Path]:
    yield from folder.glob("sweep.json")
    yield from folder.glob("sweeps/*/sweep.json")
