import pytest

from disent_runner.runs.scores import write_scores
from disent_runner.stages.foreseen import seconds_of_scoring
from disent_runner.stages.progress import time_left
from tests.report.folders import score


@pytest.mark.parametrize(
    ("training", "scoring", "said"),
    [(3723.4, 0.0, "1:02:03 left"), (3600, 60.0, "1:01:00 left"), (3600, None, "1:00:00 + scores")],
)
def test_the_time_left_is_that_of_training_and_scoring(training, scoring, said):
    assert time_left(training, scoring) == said


def test_how_long_scoring_took_is_read_from_another_seed(tmp_path, monkeypatch):
    monkeypatch.setattr("disent_runner.stages.foreseen.num_cores", lambda: 2)
    new = tmp_path / "seed=2"
    assert seconds_of_scoring(new, ["mig"]) is None
    write_scores(tmp_path / "seed=0", [score("mig", 0.5, seconds=4.0), score("sap", 0.5, seconds=8.0)])
    assert seconds_of_scoring(new, ["mig", "sap"]) == 8.0  # side by side
    assert seconds_of_scoring(new, []) == 0.0
    assert seconds_of_scoring(new, ["mig", "dci"]) is None
    (tmp_path / "seed=1").mkdir()
    (tmp_path / "seed=1" / "metrics.json").write_text("{")
    rows = [score(name, 0.5, seconds=4.0) for name in ("mig", "sap", "dci")]
    write_scores(tmp_path / "seed=3", [*rows, score("udr", None, skipped="one run")])
    assert seconds_of_scoring(new, ["mig", "sap", "dci", "udr"]) == 6.0  # three on two cores
