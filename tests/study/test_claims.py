import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from disent_runner.runs.scores import Score, write_scores
from disent_runner.runs.train_log import append_row
from disent_runner.study.claims import Claim, Quantity, StudyRun, interval
from tests.study.rows import score

NO_LOG: Mapping[str, Sequence[float]] = {}


@pytest.fixture
def run(tmp_path: Path):
    """A run folder with these numbers and these columns of train.csv."""

    def make(seed: int = 0, *scores: Score, log: Mapping[str, Sequence[float]] = NO_LOG, **overrides: str) -> StudyRun:
        folder = tmp_path / "_".join([str(seed), *overrides.values()])
        folder.mkdir()
        write_scores(folder, scores)
        for row in zip(*log.values(), strict=True):
            append_row(folder, dict(zip(log, row, strict=True)))
        return StudyRun(folder, seed, overrides)

    return make


LOG = {
    "step": range(10, 210, 10),
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
    assert Quantity(**settings).value(run(log=LOG)) == pytest.approx(expected)


MIG = Quantity(number="mig")
DCI = Quantity(number="dci")


def test_a_number_is_that_of_posterior_means_of_all_factors_at_the_last_step(run):
    scores = [
        score("mig", 0.1, step=10),
        score("mig", 0.2, step=20),
        score("mig", 0.3, step=20, codes="sampled"),
        score("mig", 0.4, step=20, factors=("scale",)),
        score("mig", 0.5, step=20, codes="sampled", factors=("scale",)),
        score("dci", 0.6, step=20),
    ]
    assert MIG.value(run(0, *scores)) == 0.2
    assert MIG.value(run(1, *reversed(scores))) == 0.2


def test_runs_are_chosen_by_what_the_sweep_set(run):
    runs = [run(seed, score("mig", 0.1 * seed + value), kappa=kappa) for seed in (0, 1) for kappa, value in KAPPAS]
    assert Quantity(number="mig", where={"kappa": 0.01}).by_seed(runs) == {0: 0.5, 1: pytest.approx(0.6)}
    assert MIG.by_seed(runs) == {0: 0.35, 1: pytest.approx(0.45)}


KAPPAS = (("1e-2", 0.5), ("0", 0.2))


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (Claim(0.2, MIG), True),
        (Claim(0.2, MIG, every_seed=True), False),
        (Claim(0.2, MIG, by=0.2), False),
        (Claim(MIG, DCI, every_seed=True), True),
        (Claim(DCI, MIG), False),
    ],
)
def test_claims_hold_on_average_or_in_every_seed(claim, holds, run):
    runs = [run(seed, score("mig", value), score("dci", 0.95)) for seed, value in enumerate((0.1, 0.3, 0.4))]
    verdict = claim.verdict(runs)
    assert verdict["holds"] is holds
    assert verdict["seeds"] == [0, 1, 2]


def test_a_claim_is_judged_by_seed(run):
    runs = [run(seed, score("mig", value), model=model) for seed, model, value in PAIRS]
    verdict = Claim(MIG.within({"model": "vae"}), MIG.within({"model": "betavae"})).verdict(runs)
    assert verdict["seeds"] == [0, 1]  # seed 2 has no other side
    assert verdict["less"] == [0.1, 0.2]
    assert verdict["than"] == [0.4, 0.3]
    assert verdict["gain"]["mean"] == pytest.approx(0.2)


PAIRS = ((0, "vae", 0.1), (1, "vae", 0.2), (2, "vae", 0.9), (0, "betavae", 0.4), (1, "betavae", 0.3))


def test_what_is_never_reached_comes_last(run):
    runs = [run(0, log=LOG)]
    entry, never = (Quantity(column="kl", take="first_above", level=level) for level in (0.45, 9))
    assert Claim(entry, never).verdict(runs)["holds"] is True
    verdict = Claim(never, never).verdict(runs)
    assert verdict["holds"] is False
    assert verdict["less"] == [None]
    json.dumps(verdict, allow_nan=False)


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        (Quantity(number="missing"), "has no number missing of mean codes; it has mig"),
        (Quantity(number="failed"), "has no number failed"),
        (Quantity(column="none"), "train.csv has no column none"),
        (Quantity(column="kl", rows={"kl": [7, 8]}), "no row with kl"),
        (Quantity(number="mig", where={"model": "vae"}), "no run has model=vae"),
    ],
)
def test_what_is_not_there_is_no_verdict(quantity, reason, run):
    verdict = Claim(0.2, quantity).verdict([run(0, score("mig", 0.5), score("failed", None), log=LOG)])
    assert verdict["holds"] is None
    assert reason in verdict["reason"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"number": "mig", "column": "kl"}, "a number or a column"),
        ({"column": "kl", "take": "first_above"}, "with a level"),
        ({"column": "kl", "take": "median"}, "take must be last, mean, max, min, first_above"),
    ],
)
def test_impossible_quantities(fields, message):
    with pytest.raises(ValueError, match=message):
        Quantity(**fields)


def test_a_claim_reads_like_a_sentence():
    kl = Quantity(column="kl", rows={"step": [10, 20]}, where={"joint": "a", "model": "vae"})
    assert str(Claim(kl, 2, by=0.5)) == "kl (last) while 10 <= step <= 20 of model=vae, joint=a < 2 - 0.5, on average"


def test_the_interval_is_student_s():
    values = np.array([0.1, 0.4, 0.2, 0.7])
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert interval(values) == pytest.approx(list(expected))
    assert interval(values[:1]) is None
    assert interval(np.array([1.0, np.inf])) is None
