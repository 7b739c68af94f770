"""A sweep from its first run to its last: what is done is skipped, what fails does not stop the others."""

import shlex
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from disent_runner.machine.texts import counted
from disent_runner.runs.folder import RunInUse, exclusive
from disent_runner.runs.status import write_status
from disent_runner.sweep.board import PROGRESS, Board, opening_line, say, summary_line
from disent_runner.sweep.jobs import Job, Standing, standing

SECONDS_BETWEEN_TRIES = 1.0


class SweepNotDone(RuntimeError):
    """Some runs of a sweep failed or were stopped."""


def run_all(sweeps: Sequence[Callable[[], None]]) -> None:
    """One sweep after the other. Raises SweepNotDone after the last, where any of them did."""
    failures: list[str] = []
    for number, sweep in enumerate(sweeps, start=1):
        if len(sweeps) > 1:
            say(f"{number} of {len(sweeps)} sweeps")
        try:
            sweep()
        except SweepNotDone as failure:
            failures.append(f"sweep {number}: {failure}" if len(sweeps) > 1 else str(failure))
    if failures:
        raise SweepNotDone("; ".join(failures))


def run_sweep(
    jobs: Sequence[Job],
    launch: Callable[[Sequence[Job]], None],
    *,
    root: Path,
    command: str,
    waits: bool,
    study: str | None = None,
    tell: Callable[[str], None] = lambda sweep: None,
) -> Board:
    """Launch each job that is not done, once; wait for those that another process has taken.

    `waits` is false for a launcher that submits jobs and returns; `study` is the name of the recipe that the sweep is;
    `tell` gets the sweep's id before the first launch.
    What comes back tells how far each job is.

    Raises SweepNotDone when jobs have failed or were stopped, after all others are done.
    """
    jobs = _wanted(jobs)
    board = Board(root, jobs, command=command, study=study)
    tell(board.folder.name)
    say(opening_line(board.standings))
    if not board.was_done:
        say(f"progress in {board.folder / PROGRESS}")
    launched: set[Job] = set()
    try:
        with board.kept_up_to_date():
            while open_jobs := [job for job, now in board.look().items() if _is_open(now, job in launched)]:
                over = launched if waits else ()
                lost = {job: need for job in open_jobs if (need := _lost_need(job, board.standings, over))}
                for job, need in lost.items():
                    _fail(job, need, board.standings[need].state)
                launched.update(lost)
                free = [job for job in open_jobs if job not in lost and board.standings[job].state != "running"]
                ready = [job for job in free if _is_ready(job, board.standings, launched if not waits else ())]
                if ready:
                    launch(ready)
                    launched.update(ready)
                elif not lost and not waits:
                    break
                elif not lost:
                    time.sleep(SECONDS_BETWEEN_TRIES)
        if launched and not waits:
            say("the same command says how far they are, and picks up what was lost")
    finally:
        say(summary_line(board.look()))
        say_failures(board.standings)
    raise_failures(board.standings, waits=waits)
    return board


def _wanted(jobs: Sequence[Job]) -> list[Job]:
    """The sweep's own runs, and what those that are not done stand on."""
    wanted: set[Job] = set()

    def want(job: Job) -> None:
        if job not in wanted:
            wanted.add(job)
            if job.needs and standing(job).state != "done":
                for need in job.needs:
                    want(need)

    for job in jobs:
        if not job.role:
            want(job)
    return [job for job in jobs if job in wanted]


def _is_ready(job: Job, standings: Mapping[Job, Standing], queued: Collection[Job]) -> bool:
    """Whether all that it stands on is done, or in the queue of a launcher that does not wait."""
    return all(standings[need].state == "done" or need in queued for need in job.needs)


def _lost_need(job: Job, standings: Mapping[Job, Standing], over: Collection[Job]) -> Job | None:
    """What it stands on that was launched, is over and was not done; None where nothing is lost."""
    return next((need for need in job.needs if need in over and standings[need].state not in ("done", "running")), None)


def _fail(job: Job, need: Job, state: str) -> None:
    """Say in the folder of a run why it was not begun."""
    what = state if state in ("failed", "interrupted") else f"did not begin ({state})"
    reason = f"its {need.role} {what}, in {need.folder}"
    with suppress(RunInUse), exclusive(job.folder):
        write_status(job.folder, "failed", request=job.request, error=reason)


def _is_open(standing: Standing, was_launched: bool) -> bool:
    """Whether there is something to launch, or to wait for; whoever works on a launched job now took it before us."""
    return standing.state == "running" if was_launched else standing.state != "done"


def say_plan(jobs: Sequence[Job]) -> None:
    """How far each run is that the sweep would launch, those that others stand on before these."""
    wanted = _wanted(jobs)
    for job in wanted:
        say(f"{standing(job).state}: {job.label}  {job.folder}")
    say(opening_line({job: standing(job) for job in wanted}))


def say_next(board: Board) -> None:
    """The command that reports the sweep, once all of it is done."""
    if all(standing.state == "done" for standing in board.standings.values()):
        say(f"next: disent-report {shlex.quote(str(board.folder))}")


def say_failures(standings: Mapping[Job, Standing]) -> None:
    for job, now in standings.items():
        if now.state == "failed":
            say(f"failed: {job.label}: {now.status.get('error')} (log: {job.folder / 'run.log'})")


def raise_failures(standings: Mapping[Job, Standing], *, waits: bool) -> None:
    good = ("done",) if waits else ("done", "queued", "running", "waiting")
    bad = Counter(now.state for now in standings.values() if now.state not in good)
    if bad:
        parts = " and ".join(f"{count} {state}" for state, count in bad.items())
        raise SweepNotDone(f"{parts} of {counted(len(standings), 'run')}; the same command tries those again")
