"""status.json: what a run is doing, for those who wait for it, and which commands it has finished."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from disent_runner.machine.files import parsed_json, read_whole, write_json
from disent_runner.machine.interruption import Interrupted
from disent_runner.runs import checksums, figures, scores
from disent_runner.runs.folder import is_held

STATES = ("done", "running", "queued", "waiting", "interrupted", "failed")
"""Of a run: finished, under way, in a cluster's queue, not started, stopped before its end, ended by an error."""

_RESULTS = (scores.FILE, figures.INDEX)


def read_status(folder: Path) -> dict[str, Any]:
    """What the run last said of itself; empty where it said nothing, or nothing that can be read."""
    try:
        status = parsed_json(read_whole(folder / "status.json"))
    except (OSError, ValueError, RecursionError):
        return {}
    return status if _is_status(status) else {}


def _is_status(status: Any) -> bool:
    """Whether it is what `write_status` writes: else nothing in it is believed."""
    try:
        datetime.fromisoformat(status["since"])
        float(status.get("seconds", 0))
        names = [name for names in status["finished"].values() for name in names]
        return status["state"] in STATES and all(isinstance(name, str) for name in names)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def write_status(folder: Path, state: str, *, request: str, **facts: Any) -> None:
    """Say what the run is doing now; what it finished earlier stays finished."""
    before = read_status(folder).get("finished")
    finished = dict(before) if isinstance(before, dict) else {}
    if state == "done":
        results = {name for name in _RESULTS if (folder / name).exists()}
        finished[request] = sorted(results.union(checksums.whole(folder)))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    where = {"process": os.getpid(), "host": socket.gethostname(), **_task()}
    status = {"state": state, "since": now, **where, "request": request, **facts, "finished": finished}
    write_json(folder / "status.json", status)


def _task() -> dict[str, str]:
    """The name of this process in a cluster's queue, as in `4711_3`; nothing where the launcher did not put it there.

    One that a person typed in a session on the cluster is over long before the session, which is in the queue too.
    """
    if os.environ.get("SUBMITIT_EXECUTOR") != "slurm":
        return {}
    array, number = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    task = f"{array}_{number}" if array and number else os.environ.get("SLURM_JOB_ID")
    return {"task": task} if task else {}


def unfinish(folder: Path, name: str) -> None:
    """What needed the file is to be done again: it has been put aside."""
    status = read_status(folder)
    finished = status.get("finished")
    if isinstance(finished, dict):
        status["finished"] = {request: names for request, names in finished.items() if name not in names}
        write_json(folder / "status.json", status)


def is_finished(folder: Path, request: str) -> bool:
    """Whether the run did all that is asked, and its files are what was written.

    Of pictures the sizes alone are looked at. Checkpoints and codes may be removed to save room.
    """
    finished = read_status(folder).get("finished")
    results = finished.get(request) if isinstance(finished, dict) else None
    if not isinstance(results, list):
        return False
    names = [str(name) for name in results]
    if not checksums.fit(folder, names, by_size=_is_picture):
        return False
    return scores.FILE not in names or checksums.is_known(folder, scores.FILE) or _can_be_read(folder)


def _is_picture(name: str) -> bool:
    return Path(name).suffix in figures.TYPES


def _can_be_read(folder: Path) -> bool:
    try:
        scores.read_scores(folder)
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def reported(folder: Path, request: str) -> Iterator[None]:
    """Write what becomes of the run into its status.json: running, then done, failed or interrupted."""
    start = time.monotonic()

    def report(state: str, **facts: Any) -> None:
        seconds = round(time.monotonic() - start, 3)
        with suppress(OSError):  # a full disk was the error then, and that is what is to be seen
            write_status(folder, state, request=request, seconds=seconds, **facts)

    write_status(folder, "running", request=request)
    try:
        yield
    except Interrupted as interruption:
        report("queued" if interruption.passed_on else "interrupted", error=str(interruption))
        raise
    except Exception as error:
        report("failed", error=" ".join(str(error).split()) or type(error).__name__)
        raise
    except BaseException as end:
        report("interrupted", error=type(end).__name__)
        raise
    report("done")


def state_of(folder: Path, status: Mapping[str, Any]) -> str:
    """The state that the status says, unless its process ended without a word."""
    state = status.get("state", "waiting")
    if state == "running" and not is_held(folder):
        return "interrupted"
    return state if state in STATES else "interrupted"
