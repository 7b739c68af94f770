import json
from pathlib import Path

import pytest
from hydra.errors import ConfigCompositionException

from disent_runner.assembly.conf import CONF
from disent_runner.assembly.mistakes import in_one_line
from disent_runner.runs.folder import exclusive
from disent_runner.runs.scores import write_scores
from disent_runner.runs.status import write_status
from disent_runner.sweep.jobs import Job, plan, standing
from disent_runner.sweep.loader import SweepLoader


def test_each_run_has_the_folder_of_a_single_run_and_equal_ones_are_one(hydra_loader, master):
    master.output_root = "here"
    loader = SweepLoader(hydra_loader.get_search_path())
    runs = [["output_root=here", "model=betavae", "model.beta=4", f"seed={seed}"] for seed in (0, 1)]
    jobs = plan(loader, master, [*runs, [*runs[0][:2], "model.beta=4.0", "seed=0"]])
    assert [job.label for job in jobs] == ["model.beta=4 seed=0", "model.beta=4 seed=1"]
    assert [job.folder.name for job in jobs] == ["seed=0", "seed=1"]
    assert jobs[0].folder.is_absolute()
    assert jobs[0].folder.relative_to(Path.cwd()).parts[:3] == ("here", "dsprites", "betavae")
    assert jobs[0].request != jobs[1].request


def test_runs_of_other_settings_do_not_share_a_folder(hydra_loader, master):
    loader = SweepLoader(hydra_loader.get_search_path())
    master.hydra.overrides.hydra.append("hydra.sweep.subdir=all")
    again = [["seed=0", "metric=[mig]"], ["seed=0", "metric=[sap]"]]
    assert len(plan(loader, master, again)) == 2
    with pytest.raises(ValueError, match=r"share the folder .*/all, such as seed=0 and seed=1"):
        plan(loader, master, [["seed=0"], ["seed=1"]])


def test_a_folder_named_by_hand_that_another_run_owns_is_refused_before_anything_starts(hydra_loader, master, tmp_path):
    loader = SweepLoader(hydra_loader.get_search_path())
    record = {"run": {"id": "0badc0de"}, "seed": 0}
    (tmp_path / "all0").mkdir()
    (tmp_path / "all0" / "config.yaml").write_text(json.dumps(record))
    master.hydra.overrides.hydra += [f"hydra.sweep.dir={tmp_path}", "hydra.sweep.subdir='all${seed}'"]
    assert len(plan(loader, master, [["seed=1"]])) == 1
    with pytest.raises(ValueError, match=r"all0 holds the run 0badc0de seed=0, other than [0-9a-f]{8} seed=0"):
        plan(loader, master, [["seed=1"], ["seed=0"]])


@pytest.mark.parametrize(
    ("subdir", "runs", "expected"),
    [
        ("all", [["seed=0"], ["seed=-1"]], "^seed=-1: expected a whole number of at least 0"),
        ("all", [["seed=0"], ["seed=0", "evaluation.batch_size=0"]], "^evaluation.batch_size=0: expected"),
        ("${hydra.job.num}", [["seed=0"]], r"^hydra\.sweep\.subdir names what a run has only once it is launched"),
    ],
)
def test_what_only_one_run_would_refuse_is_told_before_the_first(hydra_loader, master, subdir, runs, expected):
    loader = SweepLoader(hydra_loader.get_search_path())
    master.hydra.overrides.hydra.append(f"hydra.sweep.subdir={subdir}")
    with pytest.raises(ValueError, match=expected):
        plan(loader, master, runs)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (
            ["model=betavae model.beta=4 seed=0", "model=betavae model.beta=4 seed=1", "model=vae model.beta=4 seed=0"],
            r"model.beta: no such key; keys here: .*: so it is with model=vae, not with model=betavae$",
        ),
        (
            ["model=betavae model.bta=4", "model=vae model.bta=4"],
            r"model.bta: .*: so it is with model=betavae and model=vae$",
        ),
    ],
)
def test_a_key_that_some_choices_lack_is_refused_with_their_names(hydra_loader, master, runs, expected):
    loader = SweepLoader(hydra_loader.get_search_path())
    with pytest.raises(ValueError, match=expected):
        plan(loader, master, [run.split() for run in runs])


def test_a_key_that_the_one_choice_lacks_is_just_not_there(hydra_loader, master):
    loader = SweepLoader(hydra_loader.get_search_path())
    with pytest.raises(ConfigCompositionException) as caught:
        plan(loader, master, [["model=vae", "model.gamma=1"], ["model=vae", "model.gamma=2"]])
    assert in_one_line(caught.value, CONF).startswith("model.gamma: no such key; keys here: _target_, decoder")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(("seed=0",), "seed=0", tmp_path, "asked")


def test_how_far_a_job_is(job):
    assert standing(job).state == "waiting"
    write_status(job.folder, "running", request="asked")
    assert standing(job).state == "interrupted"  # nobody holds the folder
    with exclusive(job.folder):
        assert standing(job).state == "running"
    write_status(job.folder, "failed", request="asked", error="why")
    assert standing(job).state == "failed"
    assert standing(job).status["error"] == "why"
    write_scores(job.folder, [])
    write_status(job.folder, "done", request="asked")
    assert standing(job).state == "done"
    write_status(job.folder, "failed", request="another", error="of another command")
    assert standing(job).state == "done"
    (job.folder / "metrics.json").unlink()
    assert standing(job).state == "waiting"


def test_a_run_that_ends_while_it_is_looked_at_is_done(job, monkeypatch):
    def is_held(folder: Path) -> bool:
        write_status(folder, "done", request="asked")
        return False

    write_status(job.folder, "running", request="asked")
    monkeypatch.setattr("disent_runner.runs.status.is_held", is_held)
    assert standing(job).state == "done"


def test_a_status_that_cannot_be_read_is_none(job):
    (job.folder / "status.json").write_text('{"state": "do')
    assert standing(job).state == "waiting"
    (job.folder / "status.json").write_text("[]")
    assert standing(job).state == "waiting"


def test_what_runs_stand_on_is_planned_before_them_each_once(hydra_loader, master):
    loader = SweepLoader(hydra_loader.get_search_path())
    common = ["model=betavae_dae", "dataset=toylab8"]
    swept = [["model.beta=1"], ["model.beta=2"], ["model.beta=1", "dae.model.latent_dim=9"]]
    jobs = plan(loader, master, [[*common, *own] for own in swept])
    assert [job.role for job in jobs] == ["dae", "", "", "dae", ""]
    assert [job.needs for job in jobs if not job.role] == [(jobs[0],), (jobs[0],), (jobs[3],)]
    assert [job.label for job in jobs if job.role] == ["dae", "dae model.latent_dim=9"]
    assert jobs[3].overrides == ("dataset=toylab8", "seed=0", "stages=[fit]", "model=dae", *jobs[3].overrides[-2:])
    assert {*jobs[3].overrides[-2:]} == {"dataset.batch_size=100", "model.latent_dim=9"}
