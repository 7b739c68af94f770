"""What each version wrote, from the first on: read, scored again, drawn and reported by this one."""

import os
import shutil
from pathlib import Path

import pytest

import disent_runner
from disent_runner.assembly.recall import recalled
from disent_runner.report.runs import read_runs
from disent_runner.runs.checkpoint_files import checkpoint_path
from disent_runner.runs.earlier import as_now
from disent_runner.runs.record import read_record
from disent_runner.runs.scores import numbers, read_scores
from disent_runner.stages.job import run_job

VERSIONS = sorted((Path(__file__).parent / "earlier").iterdir())
"""One config.yaml and some rows of metrics.json for each change of either, of one and the same run."""
RUN = (
    "model=betavae",
    "model.latent_dim=2",
    "trainer.max_steps=2",
    "dataset.subset={orientation: 2, pos_x: 4, pos_y: 4}",
)
FACTORS = ("shape", "scale", "orientation", "pos_x", "pos_y")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_run_of_every_version_is_read_and_reported(version):
    assert numbers(version) == {"mig": pytest.approx(0.014829, rel=1e-4), "mig_shape": pytest.approx(0.0014, rel=1e-2)}
    assert {score.making.factors for score in read_scores(version)} == {FACTORS}
    (run,), omissions = read_runs([version])
    assert (run.model, run.seed, omissions) == ("betavae", 0, [])
    assert run.identity["dataset.card._target_"] == "disent_runner.datasets.dsprites.card"


_FIRST, *_LATER = VERSIONS


@pytest.mark.parametrize(
    "version", [_FIRST, *(pytest.param(later, marks=pytest.mark.slow) for later in _LATER)], ids=lambda path: path.name
)
def test_a_run_of_every_version_is_scored_and_drawn_again(version, weights, composed, tmp_path):
    if not any(weights.iterdir()):
        run_job(composed(*RUN, "stages=[fit]"), weights)
    folder = tmp_path / "run"
    shutil.copytree(version, folder)
    (folder / "checkpoints").mkdir()
    os.link(checkpoint_path(weights, 2), checkpoint_path(folder, 2))
    shutil.copy(weights / "train.csv", folder)
    before = numbers(folder)
    asked = composed("stages=[evaluate,draw]", "metric=[mig]", "figure=[loss_curves]")
    asked.run = str(folder)
    run_job(recalled(asked, []), folder)
    assert numbers(folder)["mig"] == pytest.approx(before["mig"], rel=1e-3)
    assert {score.making.factors for score in read_scores(folder)} == {FACTORS}
    assert (folder / "figures" / "loss_curves.png").exists()
    loaded = disent_runner.load(folder)
    assert (loaded.step, loaded.info.num_images, tuple(loaded.info.factors)) == (2, 576, FACTORS)


def test_a_damaged_record_of_the_first_version_is_left_to_those_who_read_it():
    dataset = {"load": {"_target_": "disent_runner.datasets.dsprites.load_dsprites"}, "subset": {"shape": "three"}}
    assert as_now({"dataset": dataset, "run": {"id": "1"}})["run"] == {"id": "1"}
    assert as_now({"dataset": {"load": 3}}) == {"dataset": {"load": 3}}
    assert "card" not in as_now({"dataset": {"load": {"_target_": "os.system"}}})["dataset"]


def test_what_is_in_todays_words_stays_as_it_is():
    for version in VERSIONS:
        record = read_record(version)
        assert as_now(record) == record
