import csv
import json
from functools import partial

import numpy as np
import pytest

from disent_runner.datasets.info import DatasetInfo
from disent_runner.encoding import Encoded
from disent_runner.evaluate import evaluate
from disent_runner.representation import Representation

INFO = DatasetInfo("toy", (1, 2, 2), {"a": 2, "b": 2}, 4, "test")
REP = Representation(codes=np.eye(4)[:, :2], factors=np.indices((2, 2)).reshape(2, -1).T, factor_sizes=(2, 2))


def draw(rep, *, rng, calls, size=1):
    calls.append(size)
    return {"draw": float(rng.random()), "draw_size": float(size)}


def broken(rep, *, rng):
    raise ValueError("the codes are too few")


@pytest.fixture
def score(tmp_path):
    def run(metrics, **changes):
        settings = {"folder": tmp_path, "seed": 0} | changes
        return {row["name"]: row for row in evaluate(lambda: Encoded(REP, np.arange(4), 7), INFO, metrics, **settings)}

    return run


def test_a_row_says_how_its_number_was_made(score, tmp_path):
    row = score({"draw": partial(draw, calls=[], size=3)})["draw_size"]
    assert row["value"] == 3.0
    assert row["settings"] == {"calls": [3], "size": 3}
    expected = {"metric": "draw", "seed": 0, "step": 7, "num_images": 4, "dataset": "toy", "source": "test"}
    assert row.items() >= expected.items()
    assert row["seconds"] >= 0
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert [entry["value"] for entry in written if entry["name"] == "draw_size"] == [3.0]
    with (tmp_path / "metrics.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["name"] for line in table] == ["draw", "draw_size"]
    assert float(table[1]["value"]) == 3.0
    assert "| draw_size | 3.0000 | " in (tmp_path / "metrics.md").read_text()


def test_a_finished_metric_is_not_computed_again(score):
    calls: list[int] = []
    metric = partial(draw, size=1)

    def counted(rep, *, rng, size=1):
        return draw(rep, rng=rng, calls=calls, size=size)

    first = score({"draw": partial(counted, **metric.keywords)})
    assert score({"draw": partial(counted, size=1)}) == first
    assert calls == [1]
    score({"draw": partial(counted, size=2)})
    score({"draw": partial(counted, size=2)}, seed=1)
    assert calls == [1, 2, 2]


def test_adding_a_metric_changes_no_other_number(score, tmp_path):
    alone = score({"draw": partial(draw, calls=[])}, folder=tmp_path / "alone")["draw"]["value"]
    both = score({"other": partial(draw, calls=[]), "draw": partial(draw, calls=[])}, folder=tmp_path / "both")
    values = {row["metric"]: row["value"] for row in json.loads((tmp_path / "both" / "metrics.json").read_text())[::2]}
    assert values["draw"] == alone
    assert values["other"] != alone
    assert both


def test_a_failing_metric_has_its_reason_in_the_table_and_the_others_go_on(score, tmp_path):
    with pytest.raises(RuntimeError, match="metric broken failed: the codes are too few"):
        score({"broken": broken, "draw": partial(draw, calls=[])})
    assert "| broken | not computed: the codes are too few |" in (tmp_path / "metrics.md").read_text()
    rows = json.loads((tmp_path / "metrics.json").read_text())
    assert [row["name"] for row in rows] == ["broken", "draw", "draw_size"]
