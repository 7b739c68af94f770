from pathlib import Path

import pytest
import yaml

from disent_runner.report.runs import read_runs
from disent_runner.runs.status import write_status
from tests.report.folders import score, write_run


def write_chain(folder: Path, *, scores=None, state: str = "done") -> None:
    """A run on one that was only trained, on another one."""
    below: dict | None = None
    for name in ("dae", "vision", "top"):
        run = write_run(folder / name / "seed=0", (scores or [score("mig", 0.25)]) if name == "top" else [])
        record = yaml.safe_load((run / "config.yaml").read_text())
        record["run"] |= {"id": name, "parents": below}
        (run / "config.yaml").write_text(yaml.safe_dump(record))
        write_status(run, state, request="r")
        below = {"below": {"id": name, "seed": 0, "step": 5, "weights": "0"}}


def test_what_a_run_stands_on_is_not_left_out_but_a_part_of_it(tmp_path) -> None:
    write_chain(tmp_path)
    runs, omissions = read_runs([tmp_path])
    assert [run.facts["id"] for run in runs] == ["top"]
    assert omissions == []


@pytest.mark.parametrize("state", ["failed", "running"])
def test_one_that_did_not_end_well_is_named(tmp_path, state: str) -> None:
    write_chain(tmp_path, state=state)
    assert [omission.folder.parent.name for omission in read_runs([tmp_path])[1]] == ["dae", "vision"]


def test_one_that_nothing_listed_stands_on_is_named(tmp_path) -> None:
    write_chain(tmp_path, scores=[score("mig", None, skipped="no labels")])
    reasons = [omission.reason for omission in read_runs([tmp_path])[1]]
    assert [reason.partition(" (")[0] for reason in reasons] == [
        "no metrics yet",
        "no metric has a value",
        "no metrics yet",
    ]
