"""What is known of a sweep while it runs: on the terminal, and in a file that can be looked at from elsewhere."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from pathlib import Path

from disent_runner.machine.files import json_text, write_whole
from disent_runner.machine.texts import counted, printable
from disent_runner.runs.status import STATES
from disent_runner.sweep.jobs import Job, Standing, standing

SECONDS_BETWEEN_LOOKS = 2.0
PROGRESS = "progress.txt"


class Board:
    """Looks at the run folders of a sweep, and says what has changed.

    A recipe, `study`, has a folder of its own for its verdict, though another may have the same runs.
    """

    def __init__(self, root: Path, jobs: Sequence[Job], *, command: str, study: str | None = None) -> None:
        self.jobs = jobs
        self.folder = root / "sweeps" / _sweep_id(jobs, root, study)
        self.standings = {job: standing(job) for job in jobs}
        runs = [_told(job) for job in jobs]
        self.was_done = all(now.state == "done" for now in self.standings.values())
        self.keep("sweep.json", json_text({"command": command, "runs": runs}))

    def look(self) -> Mapping[Job, Standing]:
        """The jobs' standings now; a job that is done stays done."""
        for job, latest in self.standings.items():
            if latest.state != "done":
                self.standings[job] = standing(job)
        return self.standings

    def write(self) -> None:
        self.keep(PROGRESS, progress_text(self.standings) + "\n")

    def keep(self, name: str, content: bytes | memoryview | str) -> None:
        """A file of the sweep's own folder. Where all was done before, a sweep may also be typed again beside folders
        that one may only read; it is not kept then.
        """
        with suppress(OSError) if self.was_done else nullcontext():
            write_whole(self.folder / name, content)

    @contextmanager
    def kept_up_to_date(self) -> Iterator[None]:
        """Look every two seconds from a thread of its own, whatever launches the jobs and waits for them."""
        ended = threading.Event()

        def watch() -> None:
            last = _counts(self.standings)
            while not ended.wait(SECONDS_BETWEEN_LOOKS):
                now = _counts(self.look())
                self.write()
                is_last = now["done"] + now["failed"] == len(self.jobs)  # which is said at the end
                if (now["done"], now["failed"]) != (last["done"], last["failed"]) and not is_last:
                    say(summary_line(self.standings))
                    last = now

        thread = threading.Thread(target=watch, daemon=True)
        self.write()
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.look()
            self.write()


def _told(job: Job) -> dict[str, str]:
    of_sweep = {"folder": str(job.folder), "label": job.label, "request": job.request}
    return of_sweep | ({"role": job.role} if job.role else {})


def say(text: str) -> None:
    from disent_runner.machine.console import console

    console.print(printable(f"sweep: {text}"), highlight=False, markup=False, soft_wrap=True)


def opening_line(standings: Mapping[Job, Standing]) -> str:
    """What the command finds: how many runs are done, go on, are tried again, are new."""
    counts = _counts(standings)
    parts = [
        (counts["done"], "done before and skipped"),
        (counts["interrupted"], "interrupted and resumed"),
        (counts["failed"], "failed before and tried again"),
        (counts["running"] + counts["queued"], "running or queued already"),
        (counts["waiting"], "new"),
    ]
    return f"{counted(len(standings), 'run')}: " + ", ".join(f"{count} {what}" for count, what in parts if count)


def summary_line(standings: Mapping[Job, Standing]) -> str:
    """`12 runs: 5 done, 2 running, 1 failed, 4 waiting; about 0:12:30 left`."""
    counts = _counts(standings)
    line = f"{counted(len(standings), 'run')}: " + ", ".join(
        f"{counts[state]} {state}" for state in STATES if counts[state]
    )
    seconds = time_left(standings)
    return line if seconds is None else f"{line}; about {timedelta(seconds=round(seconds))} left"


def _counts(standings: Mapping[Job, Standing]) -> Counter[str]:
    """How many jobs are in each state."""
    return Counter(standing.state for standing in standings.values())


def time_left(standings: Mapping[Job, Standing]) -> float | None:
    """Seconds until all is done, if the runs to come take as long as those that are done; None before the first."""
    done = [standing.status for standing in standings.values() if standing.state == "done"]
    durations = [float(status["seconds"]) for status in done if "seconds" in status]
    running = [standing for standing in standings.values() if standing.state == "running"]
    num_waiting = sum(standing.state in ("waiting", "queued") for standing in standings.values())
    if not durations or not running:
        return None
    mean = sum(durations) / len(durations)
    rests = [max(0.0, mean - _seconds_since(standing.status["since"])) for standing in running]
    return (sum(rests) + mean * num_waiting) / len(running)


def _seconds_since(moment: str) -> float:
    return time.time() - datetime.fromisoformat(moment).timestamp()


def progress_text(standings: Mapping[Job, Standing]) -> str:
    """The summary, then a line for each run that is not just waiting or done."""
    lines = [f"{summary_line(standings)} ({datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z})"]
    for state in ("running", "queued", "interrupted", "failed"):
        for job, now in standings.items():
            if now.state == state:
                lines.append(f"{state:<12}{job.label}  {job.folder}  {now.status.get('error') or ''}".rstrip())
    return "\n".join(map(printable, lines))


def _sweep_id(jobs: Sequence[Job], root: Path, study: str | None) -> str:
    """Of the runs' places below the root, so that a sweep that was moved is the same one; not of what they stand on."""
    root, own = root.absolute(), [job for job in jobs if not job.role]
    places = [job.folder.relative_to(root) if job.folder.is_relative_to(root) else job.folder for job in own]
    runs = sorted((str(place), job.request) for place, job in zip(places, own, strict=True))
    return hashlib.sha256(json.dumps(runs if study is None else [study, runs]).encode()).hexdigest()[:8]
