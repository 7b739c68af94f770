"""`disent-run -m` as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

SMALL = (
    *("network=tiny", "trainer=smoke", "trainer.accelerator=cpu", "metric=[mig]", "figure=[]"),
    "dataset.subset={orientation: 4, pos_x: 8, pos_y: 8}",
)
GRID = ("-m", *SMALL, "trainer.max_steps=30", "model=betavae", "model.beta=1,4", "seed=0,1")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(data_dir: Path, tmp_path: Path) -> Start:
    def call(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "disent_runner", *arguments],
            cwd=tmp_path,
            env={**os.environ, "DISENT_DATA_DIR": str(data_dir), "COLUMNS": "160"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    return call


def numbers(root: Path) -> dict[Path, tuple[str, list]]:
    return {
        path.parent.relative_to(root): (
            (path.parent / "train.csv").read_text(),
            [(row["name"], row["value"]) for row in json.loads(path.read_text())],
        )
        for path in root.glob("dsprites/*/*/seed=*/metrics.json")
    }


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_sweep_that_is_stopped_ends_with_the_same_numbers(start, disent_run, tmp_path, killed_by):
    expected = disent_run(*GRID, "output_root=expected")
    assert expected.returncode == 0, expected.stdout + expected.stderr
    stopped = start(*GRID)
    wait_for(lambda: len(list(tmp_path.glob("outputs/dsprites/betavae/*/seed=*/train.csv"))) == 2)  # in the second run
    stopped.send_signal(killed_by)
    said, _ = stopped.communicate(timeout=60)
    assert stopped.returncode == (-9 if killed_by == signal.SIGKILL else 128 + killed_by), said
    assert 0 < len(numbers(tmp_path / "outputs")) < 4
    again = disent_run(*GRID)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "sweep: 4 runs: 1 done before and skipped, 1 interrupted and resumed, 2 new" in again.stdout
    assert numbers(tmp_path / "outputs") == numbers(tmp_path / "expected")
    done = disent_run(*GRID)
    assert "sweep: 4 runs: 4 done before and skipped" in done.stdout
    assert "fit:" not in done.stdout


@pytest.mark.slow
def test_two_sweeps_at_once_do_each_run_once(start, tmp_path):
    sweeps = [start(*GRID) for _ in range(2)]
    said = [sweep.communicate(timeout=120)[0] for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0], said
    begun = [line for text in said for line in text.splitlines() if line.startswith("fit: from step")]
    assert len(begun) == len(set(begun)) == 4
    assert all("fit: from step 0 to 30" in line for line in begun)


@pytest.mark.slow
def test_a_run_that_fails_does_not_stop_the_others_and_is_tried_again(disent_run, tmp_path):
    grid = ("-m", *SMALL, "model=betavae", "model.latent_dim=0,4", "seed=0,1")
    failed = disent_run(*grid)
    assert failed.returncode == 1
    assert "sweep: 4 runs: 2 done, 2 failed" in failed.stdout
    assert "failed: model.latent_dim=0 seed=1: model.latent_dim must be a whole number" in failed.stdout
    (log,) = {
        line.partition("(log: ")[2].rstrip(")")
        for line in failed.stdout.splitlines()
        if "failed: model.latent_dim=0 seed=1" in line
    }
    assert "Traceback" in Path(log).read_text()
    assert failed.stderr.splitlines()[-1] == "disent-run: 2 failed of 4 runs; the same command tries those again"
    again = disent_run(*grid)
    assert "sweep: 4 runs: 2 done before and skipped, 2 failed before and tried again" in again.stdout
    (progress,) = tmp_path.glob("outputs/sweeps/*/progress.txt")
    assert progress.read_text().startswith("4 runs: 2 done, 2 failed")


@pytest.mark.slow
def test_processes_share_the_cores(disent_run, tmp_path):
    done = disent_run(*GRID, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(numbers(tmp_path / "outputs")) == 4
    failed = disent_run("-m", *SMALL, "model=betavae", "model.latent_dim=0,4", "hydra/launcher=joblib")
    assert failed.returncode == 1
    assert "sweep: 2 runs: 1 done, 1 failed" in failed.stdout


@pytest.mark.slow
def test_a_mistake_ends_a_sweep_before_it_starts(disent_run, tmp_path):
    refused = disent_run(*GRID, "model.betta=1,2")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("disent-run: model.betta: no such key, did you mean beta?")
    assert not list(tmp_path.glob("outputs/dsprites"))


@pytest.mark.slow
def test_a_preset_is_a_sweep_without_being_called_one(disent_run, tmp_path):
    done = disent_run(
        "sweep=lambda_od", *SMALL, "seed=3", "model.lambda_od=1,2", "model.lambda_d=10,20", "model.kind=i"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    configs = [
        yaml.safe_load(path.read_text())["model"] for path in tmp_path.glob("outputs/dsprites/*/*/*/config.yaml")
    ]
    assert sorted((model["kind"], model["lambda_od"], model["lambda_d"]) for model in configs) == [
        ("i", 1, 10),
        ("i", 2, 20),
    ]


@pytest.mark.slow
def test_a_search_ends_with_the_best_of_its_runs(disent_run, tmp_path):
    search = ("-m", *SMALL, "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "hydra.sweeper.sampler.seed=0")
    done = disent_run(*search, "hydra.sweeper.direction=maximize", "objective=mig", "seed=interval(0,9)")
    assert done.returncode == 1  # a seed is a whole number
    done = disent_run(
        *search, "hydra.sweeper.direction=maximize", "objective=mig", "model=betavae", "model.beta=interval(1,9)"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = yaml.safe_load((tmp_path / "outputs" / "optimization_results.yaml").read_text())
    runs = numbers(tmp_path / "outputs")
    assert len(runs) == 3
    assert found["best_value"] == max(dict(values)["mig"] for _, values in runs.values())


RECIPE = """\
# @package _global_
# Longer training lowers the loss
defaults:
  - _self_
  - override /model: vae
  - override /network: tiny
  - override /metric: [mig]
dataset:
  subset: {orientation: 4, pos_x: 8, pos_y: 8}
trainer: {log_every: 1, checkpoint_every: 100}
evaluation: {num_images: 200}
figure: null
hydra:
  mode: MULTIRUN
  sweeper:
    params: {seed: "0,1", trainer.max_steps: "2,40"}
study:
  shows: longer training lowers the loss
  source: these tests
  scale: smoke
  numbers: {loss: {column: loss}, MIG: mig}
  claims:
    lower:
      less: {column: loss, where: {trainer.max_steps: 40}}
      than: {column: loss, where: {trainer.max_steps: 2}}
      every_seed: true
"""


@pytest.mark.slow
def test_a_recipe_of_one_s_own_is_judged_at_its_end(start: Start, tmp_path: Path):
    recipe = tmp_path / "mine" / "experiment" / "me2026" / "longer.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(RECIPE)
    process = start("--config-dir", str(tmp_path / "mine"), "+experiment=me2026/longer", "trainer.accelerator=cpu")
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "lower: holds: loss (last) of trainer.max_steps=40 < loss (last)" in said
    (written,) = tmp_path.glob("outputs/sweeps/*/verdict.json")
    verdict = json.loads(written.read_text())
    assert verdict["experiment"] == "me2026/longer"
    assert verdict["direction_holds"] is True
    assert [row["setting"] for row in verdict["table"]] == ["trainer.max_steps=2", "trainer.max_steps=40"]
    recipe.write_text(RECIPE.replace("every_seed", "each_seed"))
    said, _ = start("--config-dir", str(tmp_path / "mine"), "+experiment=me2026/longer").communicate()
    assert said.strip().startswith("disent-run: a claim has less and than")
    assert len(said.strip().splitlines()) == 1
