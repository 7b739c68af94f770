import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from disent_runner.runs.score_rows import Score
from disent_runner.runs.scores import write_scores
from disent_runner.runs.train_log import append_row
from disent_runner.study.claims import Claim, Quantity, StudyRun, gain_text, interval, verdict_text
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


def test_a_quantity_is_of_other_codes_or_factors_where_it_says_so(run):
    studied = run(0, score("mig", 0.1), score("mig", 0.2, codes="sampled"), score("mig", 0.3, factors=("scale",)))
    sampled = Quantity(number="mig", representation="sampled")
    assert (MIG.value(studied), sampled.value(studied)) == (0.1, 0.2)
    assert Quantity(number="mig", factors=("scale",)).value(studied) == 0.3
    assert str(sampled) == "mig of sampled codes"
    only = run(1, score("mig", 0.2, codes="sampled"))
    assert "no number mig of mean codes; it has none of those" in Claim(0.0, MIG).verdict([only])["reason"]


def test_runs_are_chosen_by_what_the_sweep_set(run):
    runs = [run(seed, score("mig", 0.1 * seed + value), kappa=kappa) for seed in (0, 1) for kappa, value in KAPPAS]
    assert Quantity(number="mig", where={"kappa": 0.01}).by_seed(runs) == {0: 0.5, 1: pytest.approx(0.6)}
    assert MIG.by_seed(runs) == {0: 0.35, 1: pytest.approx(0.45)}


KAPPAS = (("1e-2", 0.5), ("0", 0.2))


@pytest.mark.parametrize(
    ("claim", "verdict", "direction"),
    [
        (Claim(0.2, MIG), "not shown", True),  # the mean is above, its interval is not
        (Claim(0.02, MIG), "not shown", True),
        (Claim(0.02, MIG, every_seed=True), "not shown", True),
        (Claim(MIG, 0.2), "not shown", False),
        (Claim(MIG, DCI, every_seed=True), "holds", True),
        (Claim(MIG, DCI, by=0.2), "holds", True),
        (Claim(MIG, DCI, by=0.5), "not shown", True),
        (Claim(DCI, MIG), "against", False),
        (Claim(MIG, DCI, by=2.0), "against", False),
    ],
)
def test_claims_are_judged_by_the_interval_of_their_gain(claim, verdict, direction, run):
    runs = [run(seed, score("mig", value), score("dci", 0.95)) for seed, value in enumerate((0.1, 0.3, 0.4))]
    result = claim.verdict(runs)
    assert (result["verdict"], result["judged_by"], result["direction_holds"]) == (verdict, "interval", direction)
    assert result["seeds"] == [0, 1, 2]


@pytest.mark.parametrize("seed", range(6))
def test_the_verdict_is_that_of_a_t_test(seed, run):
    values = np.random.default_rng(seed).normal(0.4 * (seed % 3 - 1), 0.5, size=4)
    runs = [run(number, score("mig", value)) for number, value in enumerate(values)]
    test: Any = stats.ttest_1samp(values, 0.1)
    expected = "not shown" if test.pvalue > 0.05 else "holds" if test.statistic > 0 else "against"
    assert Claim(0.1, MIG).verdict(runs)["verdict"] == expected


def test_a_claim_of_every_seed_needs_every_seed(run):
    values = (-0.1, *[1.0 + 0.01 * number for number in range(8)])
    runs = [run(seed, score("mig", value)) for seed, value in enumerate(values)]
    assert Claim(0.0, MIG).verdict(runs)["verdict"] == "holds"
    assert Claim(0.0, MIG, every_seed=True).verdict(runs)["verdict"] == "not shown"


@pytest.mark.parametrize(
    ("claim", "values", "text"),
    [
        (Claim(0.2, MIG), (0.3,), "holds by direction alone (1 seed, an interval needs 3)"),
        (Claim(0.2, MIG), (0.3, 0.0), "against by direction alone (2 seeds, an interval needs 3)"),
        (Claim(0.2, MIG), (0.3, 0.3, 0.3), "holds"),
        (Claim(0.3, MIG), (0.3, 0.3, 0.3), "against"),
        (Claim(0.2, MIG), (0.3, 0.3, 0.0), "not shown by these 3 seeds"),
    ],
)
def test_few_seeds_have_a_direction_alone(claim, values, text, run):
    verdict = claim.verdict([run(seed, score("mig", value)) for seed, value in enumerate(values)])
    assert verdict_text(verdict) == text
    assert (gain_text(verdict)[-1] == "]") == (len(values) > 1)


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
    assert Claim(entry, never).verdict(runs)["verdict"] == "holds"
    verdict = Claim(never, never).verdict(runs)
    assert verdict["verdict"] == "against"
    assert verdict["less"] == [None]
    json.dumps(verdict, allow_nan=False)
    several = Claim(entry, never).verdict([*runs, *(run(seed, log=LOG) for seed in (1, 2))])
    assert verdict_text(several) == "holds by direction alone (some value was never reached)"
    assert gain_text(several) == "infinite"


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
    assert (verdict["verdict"], verdict["direction_holds"]) == ("cannot be said", None)
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
