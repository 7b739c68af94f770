"""`disent-run -m` as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from disent_runner.runs.scores import numbers
from tests.typed import Typed

SMALL = (
    *("network=tiny", "trainer=smoke", "trainer.accelerator=cpu", "metric=[mig]", "figure=[]"),
    *("dataset.subset={orientation: 4, pos_x: 8, pos_y: 8}", "dataset.batch_size=16"),
)
GRID = ("-m", *SMALL, "trainer.max_steps=30", "model=betavae", "model.beta=1,4", "seed=0,1")
Start = Callable[..., Typed]


def popen(arguments: Sequence[str], *, data_dir: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "disent_runner", *arguments],
        cwd=folder,
        env={**os.environ, "DISENT_DATA_DIR": str(data_dir), "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


class Sweep(Typed):
    """A command under way whose two streams are read as one."""

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        return "".join(super().communicate(timeout)), ""


def typed(arguments: Sequence[str], *, data_dir: Path, folder: Path) -> Sweep:
    environment = {**os.environ, "DISENT_DATA_DIR": str(data_dir), "COLUMNS": "160"}
    return Sweep("disent-run", arguments, folder=folder, environment=environment)


@pytest.fixture
def start(data_dir: Path, tmp_path: Path) -> Start:
    return lambda *arguments: typed(arguments, data_dir=data_dir, folder=tmp_path)


def results(root: Path) -> dict[Path, tuple[str, dict[str, float]]]:
    """The text of train.csv and the scores of every run that was scored."""
    folders = [path.parent for path in root.glob("dsprites/*/*/seed=*/metrics.json")]
    return {folder.relative_to(root): ((folder / "train.csv").read_text(), numbers(folder)) for folder in folders}


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def unbroken(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the grid was done in one go."""
    folder = tmp_path_factory.mktemp("unbroken")
    sweep = typed(GRID, data_dir=data_dir, folder=folder)
    output, _ = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, output
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_sweep_that_is_stopped_ends_with_the_same_numbers(start, disent_run, tmp_path, unbroken, killed_by):
    stopped = start(*GRID)
    wait_for(lambda: len(list(tmp_path.glob("outputs/dsprites/betavae/*/seed=*/train.csv"))) == 2)  # in the second run
    stopped.send_signal(killed_by)
    output, _ = stopped.communicate(timeout=60)
    assert stopped.returncode == (-9 if killed_by == signal.SIGKILL else 128 + killed_by), output
    assert 0 < len(results(tmp_path / "outputs")) < 4
    again = disent_run(*GRID)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "sweep: 4 runs: 1 done before and skipped, 1 interrupted and resumed, 2 new" in again.stdout
    assert results(tmp_path / "outputs") == results(unbroken / "outputs")


@pytest.mark.slow
def test_a_sweep_that_is_done_does_nothing(data_dir, unbroken):
    output, _ = typed(GRID, data_dir=data_dir, folder=unbroken).communicate(timeout=120)
    assert "sweep: 4 runs: 4 done before and skipped" in output
    assert "fit:" not in output


@pytest.mark.slow
def test_two_sweeps_at_once_do_each_run_once(start, tmp_path):
    sweeps = [start(*GRID) for _ in range(2)]
    outputs = [sweep.communicate(timeout=120)[0] for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0], outputs
    starts = [line for output in outputs for line in output.splitlines() if line.startswith("fit: from step")]
    assert len(starts) == len(set(starts)) == 4
    assert all("fit: from step 0 to 30" in line for line in starts)


@pytest.mark.slow
def test_a_run_that_fails_does_not_stop_the_others_and_is_tried_again(disent_run, tmp_path):
    grid = ("-m", *SMALL, "model=betavae", "dataset.crop=500,null", "seed=0,1")
    failed = disent_run(*grid)
    assert failed.returncode == 1
    assert "sweep: 4 runs: 2 done, 2 failed" in failed.stdout
    assert "failed: dataset.crop=500 seed=1: dataset.crop is 500, but the images are 64x64" in failed.stdout
    (log,) = {
        line.partition("(log: ")[2].rstrip(")")
        for line in failed.stdout.splitlines()
        if "failed: dataset.crop=500 seed=1" in line
    }
    assert "Traceback" in Path(log).read_text(encoding="utf-8")
    assert failed.stderr.splitlines()[-1] == "disent-run: 2 failed of 4 runs; the same command tries those again"
    again = disent_run(*grid)
    assert "sweep: 4 runs: 2 done before and skipped, 2 failed before and tried again" in again.stdout
    (progress,) = tmp_path.glob("outputs/sweeps/*/progress.txt")
    assert progress.read_text().startswith("4 runs: 2 done, 2 failed")


@pytest.mark.slow
def test_processes_share_the_cores(data_dir, tmp_path):
    """Processes of joblib outlive a forked command, which would wait for them."""
    processes = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    grid = ("-m", *SMALL, "model=betavae", "dataset.crop=500,null", "seed=0,1", *processes)
    sweep = popen(grid, data_dir=data_dir, folder=tmp_path)
    output, _ = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    assert "sweep: 4 runs: 2 done, 2 failed" in output, output
    assert len(results(tmp_path / "outputs")) == 2


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


SEARCH = """\
# The best β
defaults:
  - override /hydra/sweeper: optuna
  - override /model: betavae
objective: mig
hydra:
  mode: MULTIRUN
  sweeper:
    n_trials: 3
    storage: sqlite:///search.db
    params: {model.beta: "interval(1,9)"}
"""


@pytest.mark.slow
def test_a_search_ends_with_the_best_of_its_runs(disent_run, tmp_path):
    (tmp_path / "mine" / "sweep").mkdir(parents=True)
    (tmp_path / "mine" / "sweep" / "search.yaml").write_text(SEARCH)
    search = (*SMALL, "--config-dir", "mine", "sweep=search")
    done = disent_run(*search, "objective=sap")
    assert done.stderr == "disent-run: objective=sap: that metric is not chosen; 'metric=[mig,sap]' has it\n"
    assert not (tmp_path / "outputs").exists()
    assert disent_run(*search, "hydra.sweeper.n_trials=2").returncode == 0
    done = disent_run(*search)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 3 trials done before" in done.stdout
    best = yaml.safe_load((tmp_path / "outputs" / "optimization_results.yaml").read_text())
    runs = results(tmp_path / "outputs")
    assert len(runs) == 3
    assert best["best_value"] == max(scores["mig"] for _, scores in runs.values())


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
    lower: {quantity: loss, less: {trainer.max_steps: 40}, than: {trainer.max_steps: 2}, every_seed: true}
"""


@pytest.mark.slow
def test_recipes_of_one_s_own_are_done_one_after_the_other_and_judged(start: Start, tmp_path: Path):
    folder = tmp_path / "mine" / "experiment" / "me2026"
    folder.mkdir(parents=True)
    (folder / "longer.yaml").write_text(RECIPE)
    recipes = ("--config-dir", str(tmp_path / "mine"), "+experiment=me2026/longer,me2026/again")
    (folder / "again.yaml").write_text(RECIPE.replace("lower:", "higher:").replace("every_seed", "each_seed"))
    process = start(*recipes, "trainer.accelerator=cpu")
    output, _ = process.communicate()
    assert process.returncode == 1
    assert output.strip().startswith("disent-run: a claim has less and than")  # before the first one starts
    assert len(output.strip().splitlines()) == 1
    (folder / "again.yaml").write_text("\ufeff" + RECIPE.replace("{trainer.max_steps: 40}, than:", "0.1, than:"))
    process = start(*recipes, "trainer.accelerator=cpu")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "lower: holds by direction alone (2 seeds, an interval needs 3): loss (last) of trainer.max" in output
    assert "sweep: 4 runs: 4 done before and skipped" in output  # the second has the same runs
    written = [json.loads(path.read_text()) for path in tmp_path.glob("outputs/sweeps/*/verdict.json")]
    verdicts = {verdict["experiment"]: verdict for verdict in written}
    assert set(verdicts) == {"me2026/longer", "me2026/again"}
    assert [verdict["verdict"] for verdict in verdicts.values()] == ["holds", "holds"]
    assert verdicts["me2026/again"]["claims"]["lower"]["less"] == [0.1, 0.1]
    settings = [row["setting"] for row in verdicts["me2026/longer"]["table"]]
    assert settings == ["trainer.max_steps=2", "trainer.max_steps=40"]
