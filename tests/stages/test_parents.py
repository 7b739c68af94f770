"""Runs that stand on runs, as a user types them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import disent_runner
from disent_runner.runs.checkpoint_files import newest_checkpoint
from disent_runner.runs.checkpoints import load_newest_checkpoint, save_checkpoint
from disent_runner.runs.record import read_record
from disent_runner.runs.status import read_status

COMMON = (
    *("model=betavae_dae", "dataset=toylab8", "dataset.image_size=32", "dataset.subset={yaw: 2, rotation: 2}"),
    *("model.check_dae=false", "trainer=smoke", "network=tiny", "metric=[mig]", "figure=[]"),
)


def _folder(root: Path, model: str) -> Path:
    (folder,) = root.glob(f"outputs/toylab8/{model}/*/seed=0")
    return folder


def _state(run: Path) -> dict[str, Any]:
    state = load_newest_checkpoint(run)
    assert state is not None
    return state


def _newest(run: Path) -> Path:
    path = newest_checkpoint(run)
    assert path is not None
    return path


def _change_weights(run: Path) -> None:
    state = _state(run)
    name = next(iter(state["model"]))
    state["model"][name] = state["model"][name] + torch.tensor(1.0)
    save_checkpoint(run, {key: value for key, value in state.items() if key != "random"})


@pytest.mark.slow
def test_what_is_missing_below_is_trained_first_and_found_again(disent_run, tmp_path):
    told = disent_run(*COMMON, "--plan")
    assert [line.split()[:3] for line in told.stdout.splitlines()] == [["dae", "to", "do:"], ["this", "run", "to"]]
    assert not (tmp_path / "outputs").exists()
    made = disent_run(*COMMON)
    assert made.returncode == 0, made.stderr
    dae, child = _folder(tmp_path, "dae"), _folder(tmp_path, "betavae_dae")
    assert not (dae / "metrics.json").exists()
    assert not any("dae" in name for name in _state(child)["model"])
    parent = read_record(child)["run"]["parents"]["dae"]
    assert (parent["id"], parent["seed"], parent["step"]) == (dae.parent.name, 0, 5)
    before = _newest(dae).stat().st_mtime_ns
    again = disent_run(*COMMON, f"dae.run={dae}")
    assert again.returncode == 0, again.stderr
    assert "fit: done, 5 steps" in again.stdout
    assert _newest(dae).stat().st_mtime_ns == before
    assert "done" in disent_run(*COMMON, "--plan").stdout.splitlines()[0]

    shutil.move(tmp_path / "outputs", tmp_path / "moved")  # together
    run = disent_runner.load(str(tmp_path / "moved" / child.relative_to(tmp_path / "outputs")))
    (dae_of_moved, _) = run.model.parents["dae"]
    assert dae_of_moved.step == 5
    shutil.move(tmp_path / "moved", tmp_path / "outputs")

    _change_weights(dae)
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


@pytest.mark.slow
def test_what_is_damaged_below_is_made_again_and_what_is_other_than_it_was_is_refused(disent_run, tmp_path):
    command = (*("model=scan_concepts", "model.num_concepts=20", "model.images_per_concept=5"), *COMMON[1:4])
    command += ("trainer=smoke", "metric=[mig]", "figure=[]", "vision.network=tiny", "vision.model.check_dae=false")
    made = disent_run(*command)
    assert made.returncode == 0, made.stderr
    dae, vision, concepts = (_folder(tmp_path, model) for model in ("dae", "betavae_dae", "scan_concepts"))
    before, numbers = _state(dae)["model"], (concepts / "metrics.csv").read_text()
    newest = _newest(dae)
    newest.write_bytes(newest.read_bytes()[:1000])
    assert "done before" in disent_run(*command).stdout  # which needs nothing below
    shutil.rmtree(concepts)
    log = vision / "train.csv"
    written = log.stat().st_mtime_ns
    again = disent_run(*command)
    assert again.returncode == 0, again.stderr
    assert "fit: from step 4 to 5" in again.stdout
    assert log.stat().st_mtime_ns == written
    assert all(torch.equal(value, before[name]) for name, value in _state(dae)["model"].items())
    values = [
        [line.split(",")[:3] for line in text.splitlines()]
        for text in (numbers, (concepts / "metrics.csv").read_text())
    ]
    assert values[0] == values[1]

    shutil.rmtree(concepts)
    for path in dae.glob("checkpoints/*.pt"):
        path.write_bytes(path.read_bytes()[:1000])
    by_path = disent_run("model=betavae_dae", *COMMON[1:], f"dae.run={dae}")
    assert by_path.returncode == 1
    (line,) = by_path.stderr.splitlines()
    assert "step=000000005.pt is damaged; type the command that trained the run" in line
    again = disent_run(*command)
    assert again.returncode == 0, again.stderr
    assert f"no checkpoint in {dae} is whole; it is trained from the start" in again.stdout
    assert log.stat().st_mtime_ns == written
    assert all(torch.equal(value, before[name]) for name, value in _state(dae)["model"].items())

    shutil.rmtree(concepts)
    _change_weights(dae)
    refused = disent_run(*command)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert f"{vision} stands on dae {dae.parent.name} seed=0 at step 5 with weights" in line
    assert not (concepts / "checkpoints").exists()

    elsewhere = tmp_path / "sent" / "x" / "y" / dae.parent.name / "seed=0"
    shutil.copytree(dae, elsewhere)
    (elsewhere / "checksums.json").unlink()
    for folder, old, new in (
        (elsewhere, "disent_runner.models.dae.DAE", "mine.DAE"),
        (vision, str(dae), str(elsewhere)),
    ):
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace(old, new))
    refused = disent_run(*command)
    assert refused.returncode == 1
    assert "seed=0 names what is not disent-runner's own: mine.DAE (model)" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.slow
def test_what_cannot_stand_on_another_is_said_before_anything_is_trained(disent_run, tmp_path):
    refused = disent_run(*COMMON, "dae.overrides=[model=betavae,network=tiny]")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert "model.dae must be a run of model=dae, got one of BetaVAE" in line
    assert not list(tmp_path.rglob("checkpoints"))
    status = read_status(_folder(tmp_path, "betavae_dae"))
    assert (status["state"], "model.dae must be" in status["error"]) == ("failed", True)
    refused = disent_run("-m", *COMMON, "dae.overrides=[model=betavae,network=tiny]", "model.beta=1,2", "seed=0,1")
    assert refused.returncode == 1
    assert (
        refused.stderr == "disent-run: model.beta=1 seed=0: model.dae must be a run of model=dae, got one of BetaVAE\n"
    )
    assert not list(tmp_path.rglob("checkpoints"))


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("-m", "seed=0,1")], ids=["run", "sweep"])
def test_more_concepts_than_there_are_are_told_before_anything_is_trained(more, disent_run, tmp_path):
    command = ("model=scan", *COMMON[1:4], "trainer=smoke", "vision.model.check_dae=false", "vision.network=tiny")
    refused = disent_run(*command, "concepts.model.num_concepts=9000", "concepts.model.images_per_concept=5", *more)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert "concepts: model.num_concepts=9000: the number of concepts with 5 images to train on must be 1 to" in line
    assert not list(tmp_path.rglob("checkpoints"))
