import csv
import dataclasses
import os
import signal
import threading
import time
from functools import partial
from importlib.metadata import version

import numpy as np
import pytest

from disent_runner.machine import threads
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from disent_runner.runs.score_rows import Making
from disent_runner.runs.scores import read_scores
from disent_runner.runs.status import is_finished, write_status
from disent_runner.stages.evaluate import chosen, evaluate
from disent_runner.stages.scoring import Subject

REP = Representation(
    codes=np.eye(4)[:, :2],
    factors=np.indices((2, 2)).reshape(2, -1).T,
    factor_sizes=(2, 2),
    logvar=np.log(np.full((4, 2), 0.25)),
    factor_names=("a", "b"),
)
SUBJECT = Subject(REP, seed=0, dataset="toy", source="test", choice="mean", step=7)


def draw(rep, *, rng, calls, size=1):
    calls.append(size)
    return {"draw": float(rng.random()), "draw_size": float(size)}


def broken(rep, *, rng):
    raise ValueError("the codes are too few")


def unsuited(rep, *, rng):
    raise NotApplicable("unsuited needs a decoder, got codes alone")


@pytest.fixture
def score(tmp_path):
    """Rows by name of the metrics, after what failed is checked."""

    def run(metrics, failures=(), folder=tmp_path, factors=None, **changes):
        subject = chosen(dataclasses.replace(SUBJECT, **changes), factors)
        assert evaluate(subject, metrics, folder=folder) == list(failures)
        return {row.label: row for row in read_scores(folder)}

    return run


def test_a_row_says_how_its_number_was_made(score, tmp_path):
    row = score({"draw": partial(draw, calls=[], size=3)})["draw_size"]
    settings = {"calls": [3], "size": 3}
    assert row.value == 3.0
    assert row.making == Making("draw", settings, 0, 7, "toy", "test", 4, "mean", ("a", "b"), version("disent-runner"))
    assert row.seconds >= 0
    assert "scikit-learn " in row.libraries
    with (tmp_path / "metrics.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["name"] for line in table] == ["draw", "draw_size"]
    assert float(table[1]["value"]) == 3.0
    text = (tmp_path / "metrics.md").read_text()
    assert text.startswith("## Mean codes of 4 images of toy (test) after step 7, seed 0\n\nFactors: a, b\n")
    assert "| draw_size | 3.0000 |  | 4 |  |" in text


def test_a_finished_metric_is_not_computed_again(score):
    calls: list[int] = []

    def counted(rep, *, rng, size=1):
        return draw(rep, rng=rng, calls=calls, size=size)

    first = score({"draw": partial(counted, size=1)})
    assert score({"draw": partial(counted, size=1)}) == first
    assert calls == [1]
    score({"draw": partial(counted, size=2)})
    score({"draw": partial(counted, size=2)}, seed=1)
    assert calls == [1, 2, 2]


def test_a_command_whose_numbers_were_replaced_is_not_finished(score, tmp_path):
    for request, name in (("first", "a"), ("other metric", "b")):
        score({name: partial(draw, calls=[], size=3)})
        write_status(tmp_path, "done", request=request)
    assert is_finished(tmp_path, "first")
    score({"a": partial(draw, calls=[], size=4)})
    write_status(tmp_path, "done", request="other settings")
    assert [is_finished(tmp_path, name) for name in ("first", "other settings")] == [False, True]


def test_adding_a_metric_changes_no_other_number(score, tmp_path):
    alone = score({"draw": partial(draw, calls=[])}, folder=tmp_path / "alone")["draw"].value
    score({"other": partial(draw, calls=[]), "draw": partial(draw, calls=[])}, folder=tmp_path / "both")
    values = {row.making.metric: row.value for row in read_scores(tmp_path / "both")[::2]}
    assert values["draw"] == alone
    assert values["other"] != alone


def test_numbers_of_other_codes_factors_and_steps_stay_beside_each_other(score, tmp_path):
    def seen(rep, *, rng):
        return {"seen": float(rep.codes[0, 0]), "seen_factors": float(rep.factors.shape[1])}

    score({"seen": seen})
    score({"seen": seen}, choice="sampled", factors=["b"])
    score({"seen": seen}, step=8)
    rows = [(row.making, row.value) for row in read_scores(tmp_path)[1::2]]
    subjects = [(made.representation, made.factors, made.step, value) for made, value in rows]
    assert subjects == [("mean", ("a", "b"), 7, 2), ("sampled", ("b",), 7, 1), ("mean", ("a", "b"), 8, 2)]
    assert (tmp_path / "metrics.md").read_text().count("## ") == 3


def test_a_failing_metric_has_its_reason_in_the_table_and_the_others_go_on(score, tmp_path):
    failed = "metric broken failed: the codes are too few"
    rows = score({"broken": broken, "draw": partial(draw, calls=[])}, failures=[failed])
    assert "| broken | not computed: the codes are too few |" in (tmp_path / "metrics.md").read_text()
    assert list(rows) == ["broken", "draw", "draw_size"]
    assert score({"broken": lambda rep, *, rng: {"mended": 1.0}})["mended"].value == 1  # tried again


def particular(rep, *, rng, size: int):
    """Fails, or lacks what it needs, by its settings."""
    if size < 0:
        raise NotApplicable("size is negative")
    return {"own": 1.0 / size}


def test_a_failure_takes_no_number_of_other_settings_away(score, capsys):
    score({"own": partial(particular, size=4)})
    failed = "metric own failed: float division by zero"
    assert score({"own": partial(particular, size=0)}, failures=[failed])["own"].value == 0.25
    assert "failed" in capsys.readouterr().out
    assert score({"own": partial(particular, size=-1)})["own"].value == 0.25
    assert "skipped: size is negative" in capsys.readouterr().out
    assert score({"own": partial(particular, size=2)})["own"].value == 0.5


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (lambda rep, *, rng: 1 / 0, "division by zero"),
        (lambda rep, *, rng: [][3], "IndexError: list index out of range"),
        (lambda rep, *, rng: {"own": float("nan")}, "own is nan, which no table can hold; a defect of the metric"),
    ],
)
def test_whatever_goes_wrong_is_said(score, metric, reason):
    rows = score({"own": metric}, failures=[f"metric own failed: {reason}"])
    assert rows["own"].value is None


def test_a_metric_without_what_it_needs_is_skipped_and_that_is_no_failure(score, tmp_path, capsys):
    row = score({"unsuited": unsuited, "draw": partial(draw, calls=[])})["unsuited"]
    assert row.value is None
    assert row.skipped == "unsuited needs a decoder, got codes alone"
    assert "skipped: unsuited needs a decoder" in (tmp_path / "metrics.md").read_text()
    assert "skipped: unsuited needs a decoder" in capsys.readouterr().out


def test_metrics_share_the_cores_and_keep_their_order(score, monkeypatch):
    monkeypatch.setattr("disent_runner.stages.scoring.num_cores", lambda: 2)
    both = threading.Barrier(2, timeout=10)  # breaks unless two metrics run at once

    def slow(rep, *, rng):
        both.wait()
        time.sleep(0.1)
        return {"slow": float(threads.torch.get_num_threads())}

    def quick(rep, *, rng):
        both.wait()
        return {"quick": 1.0}

    rows = score({"slow": slow, "quick": quick})
    assert list(rows) == ["slow", "quick"]
    assert rows["slow"].value == 1


def test_a_finished_metric_is_kept_when_another_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr("disent_runner.stages.scoring.num_cores", lambda: 1)
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore the signal

    def interrupt(rep, *, rng):
        while not (tmp_path / "metrics.md").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does, while the metric is at work
        time.sleep(60)
        return {}

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        evaluate(SUBJECT, {"draw": partial(draw, calls=[]), "stop": interrupt}, folder=tmp_path)
    signal.signal(signal.SIGINT, ours)
    assert time.monotonic() - start < 30  # nobody waits for the metric that was at work
    assert [row.label for row in read_scores(tmp_path)] == ["draw", "draw_size"]


def test_a_metric_without_a_number_fails_alone(score):
    reason = "it returned no number; a defect of the metric"
    metrics = {"empty": lambda rep, *, rng: {}, "own": lambda rep, *, rng: {"own": 1.0}}
    rows = score(metrics, failures=[f"metric empty failed: {reason}"])
    assert rows["empty"].error == reason
    assert rows["own"].value == 1.0


def test_factors_get_their_names(score):
    @returns(Number("own", "lower", unit="nats", per_factor=True))
    def own(rep, *, rng):
        return {"own": 1.0, f"own_factor_{len(rep.factor_names) - 1}": 2.0}

    rows = score({"own": own})
    assert [(row.name, row.factor, row.value) for row in rows.values()] == [("own", None, 1.0), ("own", "b", 2.0)]
    assert {(row.better, row.unit) for row in rows.values()} == {("lower", "nats")}
    assert list(score({"own": own}, factors=["a"], step=9))[2:] == ["own_a"]


def test_a_number_that_the_metric_does_not_declare_is_a_defect(score):
    @returns(Number("own"))
    def own(rep, *, rng):
        return {"own": 1.0, "more": 2.0}

    reason = "it returned more, which it does not declare; a defect of the metric"
    assert score({"own": own}, failures=[f"metric own failed: {reason}"])["own"].value is None


def test_sampled_codes_are_draws_from_the_posteriors_the_same_for_every_metric():
    means = np.zeros((20_000, 2))
    rep = Representation(means, means[:, :0].astype(int), (), logvar=np.log(np.full(means.shape, 0.25)))
    subject = dataclasses.replace(SUBJECT, representation=rep, choice="sampled", seed=3)
    sampled = chosen(subject, None).representation
    np.testing.assert_array_equal(sampled.codes, chosen(subject, None).representation.codes)
    other = chosen(dataclasses.replace(subject, seed=4), None).representation
    assert (sampled.codes != other.codes).all()
    assert sampled.codes.std() == pytest.approx(0.5, rel=0.02)  # 5 standard errors
    assert sampled.logvar is None


@pytest.mark.parametrize(
    ("choice", "factors", "message"),
    [
        ("modes", None, "representation must be mean, sampled or the path of an npz file, got 'modes'"),
        ("mean", ["c"], r"factors must be some of a, b, got \[c\]"),
        ("mean", ["a", "a"], r"factors must be some of a, b, got \[a, a\]"),
    ],
)
def test_the_choice_is_checked(choice, factors, message):
    with pytest.raises(ValueError, match=message):
        chosen(dataclasses.replace(SUBJECT, choice=choice), factors)


def test_the_terminal_shows_the_headline_of_each_metric_and_where_the_rest_is(score, tmp_path, capsys):
    @returns(Number("own", "lower", unit="nats", per_factor=True), Number("own_more"))
    def own(rep, *, rng):
        return {"own": 1.0, "own_factor_0": 2.0, "own_factor_1": 3.0, "own_more": 4.0}

    @returns(Number("left", "higher"), Number("right", "higher"), Number("middle"))
    def sides(rep, *, rng):
        return {"left": 5.0, "right": 6.0, "middle": 7.0}

    metrics = {"own": own, "sides": sides, "broken": broken, **{f"unsuited_{k}": unsuited for k in range(5)}}
    score(metrics, failures=["metric broken failed: the codes are too few"])
    shown = capsys.readouterr().out
    for text in ("own (nats)", "1.0000", "5.0000", "6.0000", "failed"):
        assert text in shown
    for text in ("own_a", "own_more", "middle", "2.0000", "7.0000"):
        assert text not in shown
    assert shown.count("skipped: unsuited needs a decoder") == 3
    assert "skipped too: unsuited_3, unsuited_4; metrics.md says why" in shown
    assert f"all 13 rows: {tmp_path}/metrics.md" in shown.replace("\n", "")


def test_rows_that_are_counted_are_those_of_the_file(score, tmp_path, capsys):
    score({"alone": lambda rep, *, rng: {"alone": 1.0}})
    assert f"\n1 row: {tmp_path}/metrics.md" in capsys.readouterr().out
    score({"other": lambda rep, *, rng: {"other": 1.0}})
    assert f"all 2 rows: {tmp_path}/metrics.md" in capsys.readouterr().out
