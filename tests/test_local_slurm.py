"""A SLURM of this machine's own, from the distribution's packages: it runs what it is given and leaves nothing."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "local_slurm.sh"
IS_MISSING = shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin") is None
needs_slurm = pytest.mark.skipif(
    (IS_MISSING or os.geteuid() != 0) and os.environ.get("DISENT_SLURM_TESTS") != "1",
    reason="needs root and SLURM: apt-get install slurm-wlm munge",
)
BOTH_AT_ONCE = "touch {0}/$SLURM_ARRAY_TASK_ID; until [ -e {0}/0 ] && [ -e {0}/1 ]; do sleep 0.1; done"
"""Ends only if tasks 0 and 1 run side by side."""
ESCAPED = "setsid sleep 600 & touch {0}/escaped; sleep 600"
"""A job with a process that is outside its process group."""

Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short name: SLURM's sockets lie in it."""
    return tmp_path_factory.mktemp("slurm")


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    """A command's output, where the SLURM is that of the folder."""
    environment = {**os.environ, "LOCAL_SLURM_DIR": str(folder), "SLURM_CONF": f"{folder}/slurm.conf"}

    def call(*command: str | Path) -> str:
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield call
    call(SCRIPT, "stop")


def until(condition: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.1)


def processes_of(folder: Path) -> dict[str, str]:
    """Process id and command line of those whose arguments or environment name the folder."""
    found: dict[str, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = ((process / file).read_bytes() for file in ("cmdline", "environ"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # it has just ended, or is none of ours
            continue
        if str(folder).encode() in command + environment:
            found[process.name] = command.replace(b"\0", b" ").decode()
    return found


@needs_slurm
@pytest.mark.slurm
@pytest.mark.slow
def test_two_tasks_run_side_by_side_and_nothing_is_left_after_the_stop(run: Run, folder: Path):
    started = run(SCRIPT, "start")
    assert started == f"export SLURM_CONF={folder}/slurm.conf\n"
    daemons = processes_of(folder)
    assert run(SCRIPT, "start") == started
    assert processes_of(folder) == daemons

    job = run("sbatch", "--parsable", "--array=0-1", "--wrap", BOTH_AT_ONCE.format(folder)).strip()
    until(lambda: run("scontrol", "show", "job", job).count("JobState=COMPLETED") == 2, "both tasks are completed")

    run("sbatch", "--wrap", ESCAPED.format(folder))
    until((folder / "escaped").exists, "the third job runs")
    assert any("sleep 600" in command for command in processes_of(folder).values())
    run(SCRIPT, "stop")
    assert processes_of(folder) == {}


def test_what_is_missing_is_named_with_the_package_to_install(tmp_path: Path):
    for command in ("bash", "realpath"):
        (tmp_path / command).symlink_to(str(shutil.which(command)))
    done = subprocess.run([SCRIPT, "start"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.endswith("is missing; apt-get install slurm-wlm munge python3\n")
    assert done.stderr.count("\n") == 1
