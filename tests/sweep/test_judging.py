import json

import pytest
from omegaconf import OmegaConf

from disent_runner.status import write_status
from disent_runner.sweep.board import Board
from disent_runner.sweep.jobs import Job
from disent_runner.sweep.judging import judge_sweep, study_of, study_run

STUDY = {
    "shows": "what",
    "source": "whom",
    "scale": "smoke",
    "claims": {
        "seen": {"less": 0.3, "than": {"number": "mig", "where": {"model": "vae"}}},
        "missed": {"less": "mig", "than": 0.3},
        "unknown": {"less": "dci", "than": 0.3},
    },
}


@pytest.fixture
def jobs(tmp_path):
    made = []
    for seed in (3, 4):
        folder = tmp_path / f"seed={seed}"
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps([{"name": "mig", "value": 0.5, "step": 9}]))
        made.append(Job(("+experiment=a/b", "model=vae", f"seed={seed}"), f"seed={seed}", folder, "asked"))
    return made


def test_a_sweep_without_a_study_has_none():
    assert study_of(OmegaConf.create({"study": None})) is None


def test_what_the_sweep_set_in_a_run(jobs, tmp_path):
    run = study_run(jobs[1])
    assert (run.folder, run.seed) == (tmp_path / "seed=4", 4)
    assert run.overrides == {"experiment": "a/b", "model": "vae", "seed": "4"}


def test_the_verdict_is_said_and_written(jobs, tmp_path, capsys):
    for job in jobs:
        write_status(job.folder, "done", request="asked")
    board = Board(tmp_path, jobs, command="")
    study = study_of(OmegaConf.create({"study": STUDY}))
    assert study is not None
    judge_sweep(study, board, experiment="a/b")
    said = capsys.readouterr().out
    assert "seen: holds: 0.3 < mig of model=vae, on average (0.3, 0.3 against 0.5, 0.5)" in said
    assert "missed: does not hold" in said
    assert "unknown: cannot be said" in said
    assert "has no dci)" in said
    assert "direction holds: False (smoke size)" in said
    verdict = json.loads((board.folder / "verdict.json").read_text())
    assert [each["holds"] for each in verdict["claims"].values()] == [True, False, None]


def test_there_is_no_verdict_before_all_runs_are_done(jobs, tmp_path, capsys):
    write_status(jobs[0].folder, "done", request="asked")
    board = Board(tmp_path, jobs, command="")
    study = study_of(OmegaConf.create({"study": STUDY}))
    assert study is not None
    judge_sweep(study, board, experiment="a/b")
    assert "no verdict yet: 1 runs are not done" in capsys.readouterr().out
    assert not (board.folder / "verdict.json").exists()
