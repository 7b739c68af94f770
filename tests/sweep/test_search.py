"""What is asked of a search, before any of it is run."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from disent_runner.assembly.conf import CONF
from disent_runner.runs.folder import RunInUse
from disent_runner.sweep import search as search_module
from disent_runner.sweep.run import SweepNotDone
from disent_runner.sweep.search import Search, Trials, open_study, search_of

SWEEPER = {**yaml.safe_load((CONF / "hydra" / "sweeper" / "optuna.yaml").read_text(encoding="utf-8")), "sampler": {}}
SWEEPER |= {"n_trials": 5}
del SWEEPER["defaults"]


def searched(composed, *overrides: str, objective: str = "mig", **sweeper: Any) -> Search:
    config = composed("metric=[mig]", f"objective={objective}")
    OmegaConf.update(config, "hydra", {"sweeper": {**SWEEPER, **sweeper}}, force_add=True)
    return search_of(config, overrides, lambda group: ["betavae", "btcvae", "vae"])


def test_what_varies_is_told_from_what_is_fixed_and_what_is_typed_wins(composed):
    params = {"model.beta": "interval(1,9)", "seed": 3, "model.latent_dim": "5,10"}
    search = searched(composed, "seed=4", "model.latent_dim=7", "~metric.mig", "model=glob(b*)", params=params)
    assert search.varied == ("model.beta=interval(1,9)", "model=betavae,btcvae")
    assert search.fixed == ("seed=4", "model.latent_dim=7", "~metric.mig")
    assert (search.direction, search.num_trials, search.name[:4]) == ("maximize", 5, "mig-")


@pytest.mark.parametrize(
    ("overrides", "settings", "message"),
    [
        (["model.beta=1,4"], {"objective": "null"}, "needs to know what to search for; add objective=mig"),
        (["objective=mig,sap"], {"objective": "null"}, "objective=mig,sap: a search is for one number"),
        (["model=vae"], {}, "no key has values to search between; add one, such as 'model.beta="),
        (["metric=[mig],[mig,sap]"], {}, "a search chooses between numbers and words"),
        (["model.beta=1,4"], {"n_trials": 0}, "hydra.sweeper.n_trials=0: expected a whole number of at least 1"),
        (["model.beta=1,4"], {"n_jobs": 1.5}, "hydra.sweeper.n_jobs=1.5: expected a whole number"),
        (["model.beta=1,4"], {"max_failure_rate": 2}, "max_failure_rate=2: expected a number of at least 0 and at mos"),
        (["model.beta=interval(2,1)"], {}, r"model.beta=interval\(2,1\): nothing lies between 2.0 and 1.0"),
        (["model.beta=tag(log,interval(0,2))"], {}, "a logarithmic scale has no 0.0; begin above 0"),
        (
            ["model.beta=1,4"],
            {"trials": 9},
            "hydra.sweeper.trials: a search has no such setting, did you mean n_trials",
        ),
        (["model.beta=tag(lg,interval(1,2))"], {}, "a search knows the tag log, not lg"),
        (
            ["model.beta=1,4"],
            {"direction": ["maximize", "minimize"]},
            "must be maximize or minimize, for one objective",
        ),
        (["model.beta=1,4"], {"objective": "sap"}, "that metric is not chosen"),
    ],
)
def test_a_mistake_is_said_before_the_first_trial(overrides, settings, message, composed):
    with pytest.raises(ValueError, match=message):
        searched(composed, *overrides, **settings)


def test_the_same_search_finds_its_trials_and_does_those_that_are_left(composed, tmp_path):
    storage = f"sqlite:///{tmp_path}/s.db"
    search = searched(composed, "model.beta=interval(1,9)", storage=storage)
    longer = searched(composed, "model.beta=interval(1,9)", storage=storage, n_trials=9)
    other = searched(composed, "model.beta=interval(1,8)", storage=storage)
    assert search.name == longer.name != other.name
    assert open_study(search).num_left == 5
    import optuna

    study = optuna.load_study(study_name=search.name, storage=storage)
    study.tell(study.ask(), 0.5)
    study.ask()  # was stopped
    assert (open_study(search).num_left, open_study(longer).num_left, open_study(other).num_left) == (4, 8, 5)


@pytest.mark.parametrize("storage", ["s.db", "sqlite:////nowhere/s.db", "mine://x"])
def test_a_storage_that_cannot_be_opened_is_one_line(storage, composed):
    with pytest.raises(ValueError, match=r"cannot be used .* such as sqlite:///search.db") as raised:
        open_study(searched(composed, "model.beta=1,4", storage=storage))
    assert "\n" not in str(raised.value)


def test_a_trial_whose_run_another_process_works_on_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(search_module, "SECONDS_BETWEEN_TRIES", 0.0)
    ends: list[Any] = [RunInUse("taken"), RunInUse("taken"), 0.5]

    class Launched:
        def launch(self, job_overrides: Any, initial_job_idx: int) -> list[JobReturn]:
            returned = [ends.pop(0) if job == ["seed=1"] else 0.25 for job in job_overrides]
            states = [JobStatus.FAILED if isinstance(end, Exception) else JobStatus.COMPLETED for end in returned]
            return [JobReturn(status=state, _return_value=end) for state, end in zip(states, returned, strict=True)]

    trials = Trials(Launched(), (), tmp_path)  # pyright: ignore[reportArgumentType]
    assert [job.return_value for job in trials.launch([("seed=0",), ("seed=1",)], 0)] == [0.25, 0.5]
    assert (ends, trials.failures) == ([], [])


def test_trials_hold_what_is_fixed_and_a_failed_one_is_told_without_a_word(tmp_path, capsys):
    class Launched:
        def launch(self, job_overrides: Any, initial_job_idx: int) -> list[JobReturn]:
            assert job_overrides == [["model=vae", "seed=1"]]
            return [JobReturn(status=JobStatus.FAILED, _return_value=ValueError("too bad"))]

    trials = Trials(Launched(), ("model=vae",), tmp_path / "outputs")  # pyright: ignore[reportArgumentType]
    (job,) = trials.launch([("seed=1",)], 0)
    with pytest.raises(ValueError, match="too bad"):
        _ = job.return_value
    with pytest.raises(SweepNotDone, match=r"1 of 1 trial failed, seed=1; hydra.sweeper.max_failure_rate=0.5 go"):
        trials.raise_failures()
    assert capsys.readouterr().err == ""
    assert (tmp_path / "outputs").is_dir()


def test_the_search_is_ours_in_whatever_order_plugins_are_found(tmp_path):
    """Each stores what it has under its name, and the last one stays: in a wheel that is not ours."""
    source = Path(search_module.__file__).parents[2]
    command = [sys.executable, "-m", "disent_runner", "hydra/sweeper=optuna", "--cfg", "hydra"]
    for path in ("", str(source)):
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
        assert "_target_: hydra_plugins.disent_search.SearchSweeper" in done.stdout
