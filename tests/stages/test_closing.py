import io

import pytest
from rich.console import Console

from disent_runner.runs.scores import write_scores
from disent_runner.stages import closing
from tests.report.folders import score, write_run


@pytest.fixture
def said(monkeypatch):
    """What is said on a terminal of so many characters, line by line."""

    def call(folder, root, *, width: int = 80, **asked) -> list[str]:
        monkeypatch.setattr(closing, "console", Console(file=(written := io.StringIO()), width=width))
        closing.say_end(folder, root, **asked)
        return written.getvalue().splitlines()

    return call


def test_a_run_ends_with_its_numbers_and_what_comes_next(said, tmp_path):
    folder = tmp_path / "my runs" / "seed=0"
    write_scores(folder, [score(name, 0.25) for name in ("active", "dci", "modularity", "mig", "sap")])
    numbers, following = said(folder, tmp_path / "my runs", width=40)
    assert numbers == "numbers: mig 0.25  dci 0.25  sap 0.25"  # those of most papers first, as many as fit
    assert following == f"next: disent-report '{tmp_path}/my runs'"
    assert "modularity 0.25  active 0.25" in said(folder, tmp_path, width=200)[0]
    assert said(folder, tmp_path / "elsewhere")[1] == f"next: disent-report '{folder}'"


def test_a_run_that_is_scored_otherwise_ends_with_those_numbers(said, tmp_path):
    run = write_run(
        tmp_path / "run",
        [
            score("mig", 0.1),
            score("mig", 0.2, representation="sampled"),
            score("mig", 0.3, factors=("scale",)),
            score("mig", 0.4, dataset="dsprites, held-out images"),
        ],
    )
    for value, asked in enumerate([{}, {"representation": "sampled"}, {"factors": ["scale"]}, {"part": "held_out"}], 1):
        assert said(run, tmp_path, **asked)[0] == f"numbers: mig 0.{value}"


def test_a_run_without_numbers_has_nothing_to_report(said, tmp_path):
    assert said(tmp_path, tmp_path) == []
