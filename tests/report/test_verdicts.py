"""Verdicts of recipes as reports show them."""

import json

from disent_runner.machine.files import write_whole
from disent_runner.report.verdicts import read_verdicts
from disent_runner.study.claims import StudyRun
from disent_runner.study.study import judge, study_from
from tests.report.conftest import HOSTILE
from tests.report.folders import score, write_run

NODE = {
    "shows": "More β, more MIG",
    "source": "Someone 2017",
    "scale": "smoke",
    "numbers": {"mig": {"number": "mig"}},
    "published": {"beta=4": {"mig": "0.5"}},
    "claims": {
        "more": {"quantity": "mig", "less": {"model.beta": 1}, "than": {"model.beta": 4}},
        "less": {"quantity": "mig", "less": {"model.beta": 4}, "than": {"model.beta": 1}},
        "none": {"quantity": "sap", "less": {"model.beta": 1}, "than": {"model.beta": 4}},
    },
}


def judged(root, *, seeds):
    runs = []
    for beta in (1, 4):
        for seed in range(seeds):
            folder = write_run(root / f"{beta}/seed={seed}", [score("mig", beta / 10 + seed / 100)], beta=beta)
            runs.append(StudyRun(folder, seed, {"model.beta": str(beta)}))
    sweep = root / "sweeps" / "0123abcd"
    judge(
        study_from(NODE), runs, lambda name, content: write_whole(sweep / name, content), experiment="someone2017/fig"
    )
    return sweep


def test_three_values_and_what_they_rest_on(tmp_path):
    sweep = judged(tmp_path, seeds=3)
    (verdict,), damaged = read_verdicts([tmp_path])
    assert damaged == []
    assert (verdict.folder, verdict.experiment, verdict.scale) == (sweep, "someone2017/fig", "smoke")
    assert (verdict.verdict, verdict.judged_by, verdict.words) == ("against", "interval", "against")
    assert [claim.verdict for claim in verdict.claims] == ["holds", "against", "cannot be said"]
    assert "has no number sap" in verdict.claims[2].gain
    assert verdict.head == ["setting", "mig", "published", "n"]
    assert verdict.lines == [["beta=1", "0.110 ± 0.010", "", "3"], ["beta=4", "0.410 ± 0.010", "0.5", "3"]]


def test_one_seed_shows_a_direction_alone(tmp_path):
    sweep = judged(tmp_path, seeds=1)
    (verdict,), _ = read_verdicts([sweep, tmp_path])  # once, though it is named and found
    assert verdict.words == "against by direction alone"
    assert verdict.claims[0].words.startswith("holds by direction alone (1 seed,")


def test_what_is_damaged_is_named_and_a_link_is_not_followed(tmp_path):
    sweep = judged(tmp_path, seeds=1)
    whole = (sweep / "verdict.json").read_text()
    for text in (whole[:100], "[]", json.dumps({"verdict": HOSTILE, "claims": {"a": {"claim": "x"}}}), '{"claims": 3}'):
        (sweep / "verdict.json").write_text(text)
        verdicts, (damaged,) = read_verdicts([tmp_path])
        assert verdicts == []
        assert damaged.folder == sweep
        assert "verdict.json is damaged" in damaged.reason
    (tmp_path / "elsewhere.json").write_text(whole)
    (sweep / "verdict.json").unlink()
    (sweep / "verdict.json").symlink_to(tmp_path / "elsewhere.json")
    assert read_verdicts([tmp_path]) == ([], [])
