"""Sweeps seen from elsewhere: what `disent-report --watch` shows."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.live import Live
from rich.text import Text

from disent_runner.machine.console import console
from disent_runner.machine.files import read_json
from disent_runner.machine.output import is_read
from disent_runner.sweep.board import SECONDS_BETWEEN_LOOKS, progress_text
from disent_runner.sweep.jobs import Job, Standing, standing

_OPEN = ("waiting", "queued", "running")


def watch(folders: Sequence[Path]) -> None:
    """Show every sweep below the folders, until all of their runs have come to an end.

    Raises FileNotFoundError where there is no sweep, ValueError where a sweep.json is damaged.
    """
    sweeps = [path for folder in folders for path in sorted(_sweeps_below(folder))]
    if not sweeps:
        raise FileNotFoundError(f"no sweep in {', '.join(map(str, folders))}; a sweep leaves sweeps/<id>/sweep.json")
    boards: dict[Path, Mapping[Job, Standing]] = {}
    with Live(console=console, auto_refresh=False) as live:
        while True:
            boards = {path: standings_of(path, boards.get(path, {})) for path in sweeps}
            lines = [f"{path.parent.name}: {progress_text(standings)}" for path, standings in boards.items()]
            live.update(Text("\n".join(lines)), refresh=True)
            if not any(now.state in _OPEN for standings in boards.values() for now in standings.values()):
                return
            if not is_read():  # its terminal was closed
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)


def standings_of(path: Path, before: Mapping[Job, Standing] | None = None) -> Mapping[Job, Standing]:
    """How far the runs of a sweep.json are; one that was done `before` stays done."""
    sweep = read_json(path, default={"runs": []})
    try:
        jobs = [Job((), str(run["label"]), Path(run["folder"]), str(run["request"])) for run in sweep["runs"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error} is missing or something else); delete it") from None
    done = {job: was for job, was in (before or {}).items() if was.state == "done"}
    return {job: done.get(job) or standing(job) for job in jobs}


def _sweeps_below(folder: Path) -> Iterator[Path]:
    yield from folder.glob("sweep.json")
    yield from folder.glob("sweeps/*/sweep.json")
