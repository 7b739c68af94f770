"""Runs that stand on runs, as a user types them."""

import shutil
from pathlib import Path

import pytest
import torch

import disent_runner
from disent_runner.runs.checkpoints import load_newest_checkpoint, newest_checkpoint, save_checkpoint
from disent_runner.runs.record import read_record

COMMON = (
    *("model=betavae_dae", "dataset=toylab8", "dataset.image_size=32", "dataset.subset={yaw: 2, rotation: 2}"),
    *("model.check_dae=false", "trainer=smoke", "network=tiny", "metric=[mig]", "figure=[]"),
)


def _folder(root: Path, model: str) -> Path:
    (folder,) = root.glob(f"outputs/toylab8/{model}/*/seed=0")
    return folder


@pytest.mark.slow
def test_what_is_missing_below_is_trained_first_and_found_again(disent_run, tmp_path):
    told = disent_run(*COMMON, "--plan")
    assert [line.split()[:3] for line in told.stdout.splitlines()] == [["dae", "to", "do:"], ["this", "run", "to"]]
    assert not (tmp_path / "outputs").exists()
    made = disent_run(*COMMON)
    assert made.returncode == 0, made.stderr
    dae, child = _folder(tmp_path, "dae"), _folder(tmp_path, "betavae_dae")
    assert not (dae / "metrics.json").exists()
    state = load_newest_checkpoint(child)
    assert state is not None
    assert not any("dae" in name for name in state["model"])
    parent = read_record(child)["run"]["parents"]["dae"]
    assert (parent["id"], parent["seed"], parent["step"]) == (dae.parent.name, 0, 5)
    before = newest_checkpoint(dae).stat().st_mtime_ns
    again = disent_run(*COMMON, f"dae.run={dae}")
    assert again.returncode == 0, again.stderr
    assert "fit: done, 5 steps" in again.stdout
    assert newest_checkpoint(dae).stat().st_mtime_ns == before
    assert "done" in disent_run(*COMMON, "--plan").stdout.splitlines()[0]

    shutil.move(tmp_path / "outputs", tmp_path / "moved")  # together
    run = disent_runner.load(str(tmp_path / "moved" / child.relative_to(tmp_path / "outputs")))
    assert run.model.dae.step == 5
    shutil.move(tmp_path / "moved", tmp_path / "outputs")

    weights = load_newest_checkpoint(dae)
    name = next(iter(weights["model"]))
    weights["model"][name] = weights["model"][name] + torch.tensor(1.0)
    save_checkpoint(dae, {key: value for key, value in weights.items() if key != "random"})
    refused = disent_run(*COMMON)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert (
        f"stands on dae {dae.parent.name} seed=0 at step 5 with weights {parent['weights'][:8]}…, which is now" in line
    )


@pytest.mark.slow
def test_a_run_below_on_other_images_is_refused_before_training(disent_run, tmp_path):
    made = disent_run("model=dae", "dataset=toydigits", "dataset.image_size=32", "trainer=smoke", "stages=[fit]")
    assert made.returncode == 0, made.stderr
    (dae,) = tmp_path.glob("outputs/toydigits/dae/*/seed=0")
    refused = disent_run(*COMMON, f"dae.run={dae}")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "dae" in refused.stderr
    assert "toydigits" in refused.stderr
    assert not list(tmp_path.glob("outputs/toylab8/betavae_dae/*/seed=0/checkpoints"))
