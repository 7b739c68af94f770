import json

import pytest
from omegaconf import OmegaConf

from disent_runner.runs.scores import write_scores
from disent_runner.runs.status import write_status
from disent_runner.study.claims import Quantity
from disent_runner.sweep.board import Board
from disent_runner.sweep.jobs import Job
from disent_runner.sweep.judging import judge_sweep, study_of, study_run
from tests.study.rows import score

STUDY = {
    "shows": "what",
    "source": "whom",
    "scale": "smoke",
    "claims": {
        "seen": {"less": 0.3, "than": "mig", "where": "vae"},
        "missed": {"less": "mig", "than": 0.3},
        "unknown": {"less": "dci", "than": 0.3},
    },
}


@pytest.fixture
def jobs(tmp_path):
    folders = {seed: tmp_path / f"seed={seed}" for seed in (3, 4)}
    for folder in folders.values():
        write_scores(folder, [score("mig", 0.5)])
    return [
        Job(("+experiment=a/b", "model=vae", f"seed={seed}"), f"seed={seed}", folder, "asked")
        for seed, folder in folders.items()
    ]


@pytest.fixture
def study():
    return study_of(OmegaConf.create({"study": STUDY, "factors": None}))


def test_a_sweep_without_a_study_has_none():
    assert study_of(OmegaConf.create({"study": None})) is None


@pytest.mark.parametrize(
    ("typed", "changed"),
    [
        (["+experiment=a/b", "trainer.max_steps=10", "seed=0,1"], "trainer.max_steps=10"),
        (["trainer=smoke", "evaluation.num_images=500"], "trainer=smoke evaluation.num_images=500"),
        (["model.beta=4", "output_root=x", "logger=[wandb]"], "model.beta=4"),
    ],
)
def test_a_recipe_that_is_typed_otherwise_is_of_another_size(jobs, tmp_path, capsys, typed, changed):
    for job in jobs:
        write_status(job.folder, "done", request="asked")
    study = study_of(OmegaConf.create({"study": {**STUDY, "scale": "paper"}, "factors": None}), typed)
    assert study is not None
    board = Board(tmp_path, jobs, command="")
    judge_sweep(study, board, experiment="a/b")
    assert f"(changed size: {changed}); " in " ".join(capsys.readouterr().out.split("\n"))
    assert json.loads((board.folder / "verdict.json").read_text())["scale"] == "changed"


def test_where_a_recipe_runs_is_no_part_of_its_size():
    aside = ["+experiment=a/b", "seed=0", "hydra/launcher=slurm", "trainer.accelerator=cpu", "figure=[]", "data_dir=x"]
    study = study_of(OmegaConf.create({"study": STUDY, "factors": None}), aside)
    assert study is not None
    assert study.scale == "smoke"


def test_what_the_sweep_set_in_a_run(jobs, tmp_path):
    run = study_run(jobs[1])
    assert (run.folder, run.seed) == (tmp_path / "seed=4", 4)
    assert run.overrides == {"experiment": "a/b", "model": "vae", "seed": "4"}


def test_the_verdict_is_said_and_written(jobs, study, tmp_path, capsys):
    for job in jobs:
        write_status(job.folder, "done", request="asked")
    board = Board(tmp_path, jobs, command="")
    judge_sweep(study, board, experiment="a/b")
    output = capsys.readouterr().out
    few = "by direction alone (2 seeds, an interval needs 3)"
    values = "(0.3, 0.3 against 0.5, 0.5; gain 0.2 [0.2, 0.2])"
    assert f"seen: holds {few}: 0.3 < mig of model=vae, on average {values}" in output
    assert f"missed: against {few}" in output
    assert "unknown: cannot be said" in output
    assert "has no number dci of mean codes; it has mig)" in output
    assert "verdict: against by direction alone (smoke size)" in output
    verdict = json.loads((board.folder / "verdict.json").read_text())
    assert [claim["verdict"] for claim in verdict["claims"].values()] == ["holds", "against", "cannot be said"]


def test_a_verdict_is_said_again_where_it_cannot_be_written(jobs, study, tmp_path, capsys, monkeypatch):
    for job in jobs:
        write_status(job.folder, "done", request="asked")

    def refuse(path, content):
        raise PermissionError(13, f"cannot write {path}")

    monkeypatch.setattr("disent_runner.sweep.board.write_whole", refuse)
    board = Board(tmp_path, jobs, command="")
    judge_sweep(study, board, experiment="a/b")
    output = capsys.readouterr().out
    assert "verdict: against by direction alone (smoke size)\n" in output
    assert not board.folder.exists()


def test_a_study_is_of_the_factors_that_its_recipe_evaluates():
    study = study_of(OmegaConf.create({"study": STUDY, "factors": ["scale"]}))
    assert study is not None
    assert study.claims["seen"].than == Quantity(number="mig", factors=("scale",), where={"model": "vae"})


def test_there_is_no_verdict_before_all_runs_are_done(jobs, study, tmp_path, capsys):
    write_status(jobs[0].folder, "done", request="asked")
    board = Board(tmp_path, jobs, command="")
    judge_sweep(study, board, experiment="a/b")
    assert "no verdict yet: 1 run not done" in capsys.readouterr().out
    assert not (board.folder / "verdict.json").exists()
