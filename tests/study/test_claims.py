import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from disent_runner.study.claims import Claim, Quantity, StudyRun, claim, interval, quantity


@pytest.fixture
def run(tmp_path: Path):
    """A run folder with these numbers and these columns of train.csv."""

    def make(seed: int = 0, numbers=(), log=None, **overrides: str) -> StudyRun:
        folder = tmp_path / "_".join([str(seed), *overrides.values()])
        folder.mkdir()
        rows = [{"name": name, "value": value, "step": step} for name, value, step in numbers]
        (folder / "metrics.json").write_text(json.dumps(rows))
        if log is not None:
            lines = [",".join(log), *(",".join(map(repr, row)) for row in zip(*log.values(), strict=True))]
            (folder / "train.csv").write_text("\n".join(lines) + "\n")
        return StudyRun(folder, seed, overrides)

    return make


LOG = {
    "step": [float(step) for step in range(10, 210, 10)],
    "kl": [0.1 * row for row in range(20)],
    "capacity": [0.5 * row for row in range(20)],
    "gap": [-3.0, *[1.0] * 19],
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"column": "kl"}, (1.8 + 1.9) / 2, id="the last tenth's mean"),
        pytest.param({"column": "kl", "take": "mean"}, 0.95, id="mean"),
        pytest.param({"column": "kl", "take": "max"}, 1.9, id="max"),
        pytest.param({"column": "gap", "take": "min"}, -3.0, id="min"),
        pytest.param({"column": "gap", "take": "max", "absolute": True}, 3.0, id="largest without its sign"),
        pytest.param({"column": "kl", "take": "first_above", "level": 0.45}, 60.0, id="the step at which"),
        pytest.param({"column": "kl", "take": "first_above", "level": 9}, np.inf, id="never"),
        pytest.param({"column": "kl", "take": "mean", "rows": {"capacity": [1.0, 2.0]}}, 0.3, id="of some rows"),
    ],
)
def test_columns_of_the_training_log(settings, expected, run):
    assert Quantity(**settings).of(run(log=LOG)) == pytest.approx(expected)


def test_a_number_is_that_of_the_last_step(run):
    assert quantity("mig").of(run(numbers=[("mig", 0.3, 10), ("mig", 0.5, 20), ("dci", 0.9, 20)])) == 0.5


def test_runs_are_chosen_by_what_the_sweep_set(run):
    runs = [run(seed, [("mig", 0.1 * seed + value, 5)], kappa=kappa) for seed in (0, 1) for kappa, value in KAPPAS]
    assert Quantity(number="mig", where={"kappa": 0.01}).by_seed(runs) == {0: 0.5, 1: pytest.approx(0.6)}
    assert Quantity(number="mig").by_seed(runs) == {0: 0.35, 1: pytest.approx(0.45)}


KAPPAS = (("1e-2", 0.5), ("0", 0.2))


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        ({"less": 0.2, "than": "mig"}, True),
        ({"less": 0.2, "than": "mig", "every_seed": True}, False),
        ({"less": 0.2, "than": "mig", "by": 0.2}, False),
        ({"less": "mig", "than": "dci", "every_seed": True}, True),
        ({"less": "dci", "than": "mig"}, False),
    ],
)
def test_claims_hold_on_average_or_in_every_seed(node, holds, run):
    runs = [run(seed, [("mig", value, 1), ("dci", 0.95, 1)]) for seed, value in enumerate((0.1, 0.3, 0.4))]
    verdict = claim(node).verdict(runs)
    assert verdict["holds"] is holds
    assert verdict["seeds"] == [0, 1, 2]


def test_a_claim_is_judged_by_seed(run):
    runs = [run(seed, [("mig", value, 1)], model=model) for seed, model, value in PAIRS]
    verdict = Claim(
        Quantity(number="mig", where={"model": "vae"}), Quantity(number="mig", where={"model": "betavae"})
    ).verdict(runs)
    assert verdict["seeds"] == [0, 1]  # seed 2 has no other side
    assert verdict["less"] == [0.1, 0.2]
    assert verdict["than"] == [0.4, 0.3]
    assert verdict["gain"]["mean"] == pytest.approx(0.2)


PAIRS = ((0, "vae", 0.1), (1, "vae", 0.2), (2, "vae", 0.9), (0, "betavae", 0.4), (1, "betavae", 0.3))


def test_what_is_never_reached_comes_last(run):
    runs = [run(0, log=LOG)]
    enters = {"column": "kl", "take": "first_above", "level": 0.45}
    never = {"column": "kl", "take": "first_above", "level": 9}
    assert claim({"less": enters, "than": never}).verdict(runs)["holds"] is True
    verdict = claim({"less": never, "than": never}).verdict(runs)
    assert verdict["holds"] is False
    assert verdict["less"] == [None]
    json.dumps(verdict, allow_nan=False)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"less": 0.2, "than": "missing"}, "metrics.json has no missing"),
        ({"less": 0.2, "than": "failed"}, "metrics.json has no failed"),
        ({"less": 0.2, "than": {"column": "none"}}, "train.csv has no column none"),
        ({"less": 0.2, "than": {"column": "kl", "rows": {"kl": [7, 8]}}}, "no row with kl"),
        ({"less": 0.2, "than": {"number": "mig", "where": {"model": "vae"}}}, "no run has model=vae"),
    ],
)
def test_what_is_not_there_is_no_verdict(node, reason, run):
    verdict = claim(node).verdict([run(0, [("mig", 0.5, 1), ("failed", None, 1)], log=LOG)])
    assert verdict["holds"] is None
    assert reason in verdict["reason"]


def test_the_interval_is_student_s():
    values = np.array([0.1, 0.4, 0.2, 0.7])
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert interval(values) == pytest.approx(list(expected))
    assert interval(values[:1]) is None
    assert interval(np.array([1.0, np.inf])) is None


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"less": 0.2}, "a claim has less and than"),
        ({"less": 0.2, "than": 0.3}, "of which one may be a fixed number"),
        ({"less": 0.2, "than": "mig", "margin": 1}, "got {"),
        ({"less": 0.2, "than": {"number": "mig", "columns": "kl"}}, "unexpected keyword argument 'columns'"),
        ({"less": 0.2, "than": {"number": "mig", "column": "kl"}}, "a number or a column"),
        ({"less": 0.2, "than": {"column": "kl", "take": "first_above"}}, "with a level"),
        ({"less": 0.2, "than": {"column": "kl", "take": "median"}}, "take must be last, mean, max, min, first_above"),
    ],
)
def test_mistakes_in_a_recipe(node, message):
    with pytest.raises(ValueError, match=message):
        claim(node)


def test_a_claim_reads_like_a_sentence():
    node = {"less": {"column": "kl", "rows": {"step": [10, 20]}, "where": {"model": "vae"}}, "than": 2, "by": 0.5}
    assert str(claim(node)) == "kl (last) while 10 <= step <= 20 of model=vae < 2 - 0.5, on average"
