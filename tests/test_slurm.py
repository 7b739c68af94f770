"""Sweeps on a real SLURM, started here: `scripts/local_slurm.sh` needs root and the packages slurm-wlm and munge."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "local_slurm.sh"
SMALL = (
    *("model=betavae", "network=tiny", "trainer=smoke", "trainer.accelerator=cpu", "metric=[mig]", "figure=[]"),
    *("dataset.subset={orientation: 4, pos_x: 8, pos_y: 8}", "trainer.max_steps=300", "trainer.checkpoint_every=1000"),
)
CHAIN = (
    *("model=betavae_dae", "model.check_dae=false", "dataset=toylab8", "dataset.image_size=16", "network=tiny"),
    *("trainer=smoke", "trainer.accelerator=cpu", "metric=[mig]", "figure=[]"),
)
SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=2")
IS_THERE = shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.xdist_group("slurm"),
    pytest.mark.skipif(
        not IS_THERE and os.environ.get("DISENT_SLURM_TESTS") != "1", reason="no SLURM: apt-get install slurm-wlm munge"
    ),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """Environment of a SLURM of one node, stopped at the end. Names of sockets must be short: so is its folder's."""
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder:
        environment = {**os.environ, "LOCAL_SLURM_DIR": folder}
        started = subprocess.run([SCRIPT, "start"], env=environment, capture_output=True, text=True, timeout=90)
        assert started.returncode == 0, started.stderr
        environment["SLURM_CONF"] = started.stdout.strip().partition("=")[2]
        yield environment
        subprocess.run([SCRIPT, "stop"], env=environment, check=True, timeout=60)
        left = subprocess.run(["pgrep", "-f", folder], capture_output=True, text=True).stdout
        assert not left, "daemons of the local SLURM are left running"


@pytest.fixture
def start(cluster: dict[str, str], data_dir: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    def call(*arguments: str, of: Sequence[str] = SMALL, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "disent_runner", "-m", *of, "seed=0,1", *arguments],
            cwd=tmp_path,
            env={**cluster, "DISENT_DATA_DIR": str(data_dir), "COLUMNS": "160", "OMP_NUM_THREADS": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return call


def until(condition: Callable[[], object], what: str, *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.3)


def slurm(cluster: dict[str, str], *command: str) -> str:
    return subprocess.run(command, env=cluster, capture_output=True, text=True, check=True, timeout=30).stdout


def states(cluster: dict[str, str]) -> dict[str, str]:
    lines = slurm(cluster, "squeue", "--noheader", "--array", "--format=%i %T").splitlines()
    return dict(line.split() for line in lines)


def rows(folder: Path) -> int:
    path = folder / "train.csv"
    return len(path.read_text().splitlines()) if path.exists() else 0


def numbers(folder: Path) -> tuple[Sequence[list[str]], dict[str, float]]:
    with (folder / "train.csv").open(newline="") as file:
        log = list(csv.reader(file))
    return log, {row["name"]: row["value"] for row in json.loads((folder / "metrics.json").read_text())}


def test_a_task_that_is_stopped_goes_on_with_the_same_numbers(start, cluster, tmp_path):
    def task_of(folder: Path) -> str:
        return json.loads((folder / "status.json").read_text())["task"]

    undisturbed = start("output_root=expected")
    said, _ = undisturbed.communicate(timeout=200)
    assert undisturbed.returncode == 0, said
    (name,) = (path.name for path in (tmp_path / "expected/dsprites/betavae").iterdir())
    runs = tmp_path / "outputs/dsprites/betavae" / name

    sweep = start(*SLURM)
    until(lambda: min(rows(runs / "seed=0"), rows(runs / "seed=1")) > 3, "both runs train")
    task, other = task_of(runs / "seed=1"), task_of(runs / "seed=0")
    slurm(cluster, "scancel", "--signal=USR1", other)  # what some clusters send instead
    slurm(cluster, "scancel", "--signal=USR2", task)  # what SLURM sends before it kills
    until(lambda: states(cluster).get(task) == "PENDING", "it is back in the queue")
    before = rows(runs / "seed=1")
    (checkpoint,) = (runs / "seed=1" / "checkpoints").iterdir()
    assert 0 < int(checkpoint.stem.partition("=")[2]) < 300
    until(lambda: rows(runs / "seed=1") > before + 3, "it goes on")
    slurm(cluster, "scancel", task)
    said, _ = sweep.communicate(timeout=200)
    assert sweep.returncode == 1
    assert "1 interrupted of 2 runs; the same command tries those again" in said

    again = start(*SLURM)
    said, _ = again.communicate(timeout=200)
    assert again.returncode == 0, said
    assert "2 runs: 1 done before and skipped, 1 interrupted and resumed" in said
    for seed, signal in ((0, "SIGUSR1"), (1, "SIGUSR2")):
        log = (runs / f"seed={seed}" / "run.log").read_text()
        assert f"stopped by {signal} after step" in log
        assert re.search(r"fit: from step [1-9]\d* to 300", log)
        expected = tmp_path / "expected/dsprites/betavae" / name / f"seed={seed}"
        assert numbers(runs / f"seed={seed}") == numbers(expected)


def test_what_is_submitted_can_be_left_alone_and_picked_up_later(start, cluster, tmp_path):
    began = time.monotonic()
    # from inside an interactive job, of which sbatch hands on what srun refuses beside a task's own memory
    session = {"SLURM_JOB_ID": "77", "SLURM_MEM_PER_CPU": "1000"}
    submitted = start(*SLURM, "hydra.launcher.wait=false", **session)
    said, _ = submitted.communicate(timeout=60)
    assert submitted.returncode == 0, said
    assert time.monotonic() - began < 30
    (array,) = re.findall(r"2 tasks submitted as SLURM job (\d+)", said)
    assert {f"{array}_0", f"{array}_1"} <= states(cluster).keys()
    later = start(*SLURM)
    said, _ = later.communicate(timeout=200)
    assert later.returncode == 0, said
    assert "submitted" not in said
    assert "2 runs: 2 done" in said
    assert len(list(tmp_path.glob("outputs/dsprites/betavae/*/seed=*/metrics.json"))) == 2


def test_runs_begin_after_those_that_they_stand_on(start, cluster, tmp_path):
    submitted = start(*SLURM, "hydra.launcher.wait=false", of=CHAIN)
    said, _ = submitted.communicate(timeout=60)
    assert submitted.returncode == 0, said
    below, above = re.findall(r"2 tasks submitted as SLURM job (\d+)", said)
    waiting = slurm(cluster, "squeue", "--noheader", "--format=%i %E").splitlines()
    assert any(line.startswith(above) and f"afterany:{below}_" in line for line in waiting), waiting
    later = start(*SLURM, of=CHAIN)
    said, _ = later.communicate(timeout=200)
    assert later.returncode == 0, said
    assert "submitted" not in said
    assert "4 runs: 4 done" in said
    logs = [path.read_text() for path in tmp_path.glob("outputs/toylab8/*/*/seed=*/run.log")]
    assert len(logs) == 4
    assert not any("first dae" in log for log in logs)  # each was trained by its own task
