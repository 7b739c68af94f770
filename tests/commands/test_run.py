"""The command as a user types it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from disent_runner.assembly.conf import CONF
from disent_runner.runs.scores import read_scores

HEAVY = ("torch", "pytorch_lightning", "sklearn", "pandas", "matplotlib", "wandb", "numpy")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--cfg", "job"], ["model=nothing"], ["-sc", "query=bash"], ["model=betavae_dae", "--plan"]],
)
def test_quick_answers_import_nothing_heavy(arguments, tmp_path):
    code = (
        "import sys\nsys.argv[0] = 'disent-run'\nfrom disent_runner.commands.run import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        f"loaded = set({HEAVY!r}) & set(sys.modules)\nassert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("environment", "policy"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")])
def test_threads_that_wait_leave_their_core_to_other_runs_unless_told_otherwise(environment, policy, tmp_path):
    code = (
        "import os, sys\nfrom disent_runner.commands import run\n"
        "run._job = lambda: print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)\nrun.run()"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"} | environment
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{policy} False\n"  # torch reads it when it is loaded


@pytest.mark.slow
def test_help_shows_every_choice_with_what_it_is(disent_run):
    text = disent_run("--help").stdout
    for path in CONF.rglob("*.yaml"):
        if path.parent != CONF and "hydra" not in path.parts and not path.stem.startswith("_"):
            group = path.relative_to(CONF).parts[0]
            name = path.relative_to(CONF / group).with_suffix("")
            assert re.search(rf"^  [ *] {name} +\S.*$", text, re.MULTILINE), path
    assert text.count("\n  disent-run ") == 5
    assert re.search(r"^  \* factorvae ", text, re.MULTILINE)


def test_a_reader_of_the_help_may_leave_early(tmp_path):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "disent_runner", "--help"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_offers_groups_keys_and_choices(disent_run):
    def complete(line: str) -> list[str]:
        return disent_run(
            "-sc", "query=bash", COMP_LINE=f"disent-run {line}", COMP_POINT=str(11 + len(line))
        ).stdout.split()

    assert complete("model=bt") == ["model=btcvae"]
    assert "model.latent_dim=" in complete("model.l")
    assert complete("+experiment=chen2018/") == ["+experiment=chen2018/bias", "+experiment=chen2018/bias_smoke"]


@pytest.mark.slow
def test_a_run_leaves_its_folder_and_is_then_done(disent_run, tmp_path):
    command = ["model=betavae", "network=tiny", "trainer=smoke", "trainer.accelerator=cpu"]
    first = disent_run(*command)
    assert first.returncode == 0, first.stderr
    assert re.search(r"fit: step 5 of 5, [\d.]+ steps/s, 0:00:00 \+ scores; loss \d+", first.stdout)
    (folder,) = tmp_path.glob("outputs/dsprites/betavae/*/seed=0")
    assert re.search(
        r"\nnumbers: beta_vae_score [\d.]+  factor_vae_score .*\nnext: disent-report outputs\n$", first.stdout
    )
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left >= {
        "config.yaml",
        "train.csv",
        "codes.h5",
        "metrics.json",
        "metrics.csv",
        "metrics.md",
        "run.log",
        "checkpoints/step=000000004.pt",
        "checkpoints/step=000000005.pt",
        "figures/reconstructions.png",
        "figures/samples.png",
        "figures/loss_curves.png",
        "figures/mutual_information.png",
        "figures/traversals_prior.png",
        "figures/traversals_prior_animated.gif",
    }
    rows = json.loads((folder / "metrics.json").read_text())
    assert {row["metric"] for row in rows} >= {"beta_vae_score", "factor_vae_score", "mig", "sap", "reconstruction"}
    assert all(row["value"] is not None for row in rows)
    assert {row["source"] for row in rows} == {"rendered"}
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in {".pt", ".png", ".h5"}}
    again = disent_run(*command)
    assert again.returncode == 0
    assert "fit: done, 5 steps" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.slow
def test_every_job_of_a_sweep_has_its_own_run_in_the_loggers(disent_run, tmp_path):
    done = disent_run(
        "-m",
        "model=betavae",
        "network=tiny",
        "trainer=smoke",
        "trainer.accelerator=cpu",
        "metric=[mig]",
        "figure=[samples]",
        "logger=[wandb,tensorboard]",
        "seed=0,1",
        WANDB_SILENT="true",
    )
    assert done.returncode == 0, done.stderr
    for seed in (0, 1):
        (folder,) = tmp_path.glob(f"outputs/dsprites/betavae/*/seed={seed}")
        assert len(list(folder.glob("wandb/offline-run-*/*.wandb"))) == 1
        assert list(folder.glob("tensorboard/events.out.tfevents.*"))
        assert (folder / "train.csv").exists()


@pytest.mark.slow
def test_a_run_and_its_checkpoints_are_scored_again(disent_run, tmp_path):
    small = ["network=tiny", "trainer=smoke", "trainer.accelerator=cpu", "metric=[mig]", "stages=[fit,evaluate]"]
    assert disent_run("model=betavae", *small).returncode == 0
    (folder,) = tmp_path.glob("outputs/dsprites/betavae/*/seed=0")
    config = (folder / "config.yaml").read_text()
    run = f"run={folder.relative_to(tmp_path)}"
    again = ["-m", "stages=[evaluate]", "metric=[mig,irs]", "representation=mean,sampled"]
    done = disent_run(*again, run)
    assert done.returncode == 0, done.stderr
    done = disent_run("stages=[evaluate]", "metric=[mig]", f"{run}/checkpoints/step=000000004.pt")
    assert done.returncode == 0, done.stderr
    makings = [(score.label, score.making) for score in read_scores(folder)]
    heads = [(label, making.representation, making.step) for label, making in makings if label == making.metric]
    assert sorted(heads) == [
        ("irs", "mean", 5),
        ("irs", "sampled", 5),
        ("mig", "mean", 4),
        ("mig", "mean", 5),
        ("mig", "sampled", 5),
    ]
    other = f"metric.udr.runs=[{folder.relative_to(tmp_path)}]"  # its own folder: no other run
    assert "skipped: udr needs other runs" in disent_run("stages=[evaluate]", "metric=[udr]", run, other).stdout
    assert (folder / "config.yaml").read_text() == config
    assert disent_run("stages=[evaluate]", run, "model.gamma=3").stderr.count("has its own model; leave it out") == 1


@pytest.mark.slow
def test_an_interrupted_evaluation_ends_at_once_and_goes_on(disent_run, tmp_path, data_dir):
    small = [
        "model=betavae",
        "network=tiny",
        "trainer=smoke",
        "trainer.accelerator=cpu",
        "metric=[mig,kl_decomposition]",
    ]
    assert disent_run(*small, "stages=[fit]").returncode == 0
    (folder,) = tmp_path.glob("outputs/dsprites/betavae/*/seed=0")
    long = ["stages=[evaluate]", "evaluation.num_images=60_000", "metric.kl_decomposition.num_samples=400_000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "disent_runner", *small, *long],
        cwd=tmp_path,
        env={**os.environ, "DISENT_DATA_DIR": str(data_dir), "OMP_NUM_THREADS": "2"},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (folder / "metrics.md").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)  # nobody waits for the metric at work
    assert process.returncode == 130
    assert said.splitlines() == ["disent-run: stopped by SIGINT; the same command goes on from there"]
    assert json.loads((folder / "metrics.json").read_text())[0]["name"] == "mig"


@pytest.mark.slow
def test_codes_of_another_model_are_scored(disent_run, tmp_path):
    factors = np.indices((5, 6, 20)).reshape(3, -1).T
    np.savez(tmp_path / "codes.npz", codes=factors + 0.0, factors=factors, factor_names=["hue", "size", "view"])
    done = disent_run("stages=[evaluate]", "representation=codes.npz", "metric=[mig,mig_exact,elbo]")
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.glob("outputs/representations/codes/*/seed=0")
    rows = {score.label: score for score in read_scores(folder)}
    assert rows["mig_hue"].value == pytest.approx(1.0)
    assert rows["mig_exact"].skipped == "mig_exact needs the posterior's logvar, got point codes"
    assert rows["elbo"].skipped == "elbo needs the model's decoder and images, got codes alone"
    refused = disent_run("representation=codes.npz")
    assert refused.returncode == 1
    assert "has no model to train or draw; add 'stages=[evaluate]'" in refused.stderr
    np.savez(tmp_path / "codes.npz", codes=np.array([{"any": "object"}], dtype=object))
    refused = disent_run("stages=[evaluate]", "representation=codes.npz")
    assert "must be an npz file of plain arrays" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["model.latent_dim=0"], "model.latent_dim=0: expected a whole number of at least 1 and at most 10000"),
        (["dataset.batch_size=1"], "dataset.batch_size must be at least 2 for FactorVAE, got 1"),
        (["dataset.batch_size=1_000_000"], "dataset.batch_size is 1000000, but there are 737280 images"),
        (["dataset.source=official"], "dsprites_ndarray"),
        (
            ["stages=[fit,score]"],
            "stages=[fit, score]: expected a list, at least one, [a,b], each fit, evaluate or draw, each once",
        ),
        (["seed=-1"], "seed=-1: expected a whole number of at least 0"),
        (["model.gamma=many"], "model.gamma=many: expected a number of at least 0"),
        (
            ["model.warmup={gamma: 10}"],
            "model.warmup must name terms of the loss, kl, objective_total_correlation; got",
        ),
        (["schedule=cosine", "schedule.T_max=0"], "schedule.T_max=0: expected a whole number of at least 1"),
        (["likelihood=gaussian", "likelihood.sigma=null"], "likelihood.sigma=null: expected a number above 0"),
        (["model=nothing"], "model=nothing: no such model; choose from a2c, adagvae"),
        (["model.gama=3"], "model.gama: no such key, did you mean gamma?"),
        (["output_root=/proc/nowhere"], "/proc/nowhere"),
        (["trainer.max_steps=0"], "trainer.max_steps=0: expected a whole number of at least 1"),
        (["optimizer._target_=os.system"], "os.system"),
        (["stages=[evaluate]"], "no checkpoint in"),
        (["representation=modes"], "representation=modes: expected mean, sampled or a file of codes, FILE.npz"),
        (["representation=none.npz"], "representation=none.npz: no such file"),
        (["factors=[pos_z]"], "factors must be some of shape, scale, orientation, pos_x, pos_y, got [pos_z]"),
        (["run=none/seed=0"], "run=none/seed=0: no run there; name a folder that holds config.yaml, or a checkpoint"),
        (["evaluation.num_images=1"], "evaluation.num_images=1: expected a whole number of at least 2, or null"),
    ],
)
def test_mistakes_are_one_line_without_a_traceback(disent_run, tmp_path, arguments, expected):
    done = disent_run("network=tiny", "trainer=smoke", "trainer.accelerator=cpu", *arguments)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("disent-run: ")
    assert expected in line
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_a_traceback_is_there_when_asked_for(disent_run):
    done = disent_run("trainer.max_steps=0", HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
