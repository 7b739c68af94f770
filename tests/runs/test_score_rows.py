import json
from dataclasses import replace

import pytest

from disent_runner.runs.score_rows import Making, Score, row_of
from disent_runner.runs.scores import FILE, read_scores, write_scores

MAKING = Making("mig", {"num_bins": 20}, 0, 300, "dsprites", "rendered", 2000, "mean", ("shape", "scale"), "0.1.0")


def row(**changes) -> dict:
    """A row of metrics.json as it is written, but for these changes."""
    return {**row_of(Score("mig", None, 0.25, "higher", None, MAKING)), **changes}


def without(key: str) -> dict:
    return {name: value for name, value in row().items() if name != key}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({}, "it holds no list of numbers"),
        (["mig"], "a row is 'mig'"),
        ([without("value")], "a row lacks value"),
        ([without("settings")], "a row lacks settings"),
        ([row(value="0.25")], "mig is '0.25'"),
        ([row(value=True)], "mig is True"),
        ([row(value=float("nan"))], "mig is nan"),
        ([row(value=float("inf"))], "mig is inf"),
        ([row(settings=[])], "mig has settings or factors that are none"),
        ([row(factors=[3])], "a name in the row of 'mig' is no text"),
        ([row(step="300")], "mig has step '300' and better 'higher'"),
        ([row(better="more")], "mig has step 300 and better 'more'"),
        ([row(), row(value=0.5)], "mig is there twice"),
    ],
)
def test_damaged_rows_are_named_with_the_fix(tmp_path, rows, reason):
    (tmp_path / FILE).write_text(json.dumps(rows))
    with pytest.raises(ValueError) as error:
        read_scores(tmp_path)
    assert str(error.value) == f"metrics.json is damaged: {reason}; score the run again: 'stages=[evaluate]'"


def test_rows_share_how_they_were_made(tmp_path):
    scores = [Score("mig", factor, 0.25, "higher", None, MAKING) for factor in (None, "shape", "scale")]
    write_scores(tmp_path, scores)
    again = read_scores(tmp_path)
    assert again == scores
    assert len({id(score.making) for score in again}) == 1


def test_rows_say_how_many_images_they_are_of(tmp_path):
    making = replace(MAKING, binned={"scale": 20}, missing={"shape": 500})
    few = Score("mig", None, 0.25, "higher", None, making, num_labelled=1500)
    scores = [few, Score("active_units", None, 3.0, None, "latents", replace(making, metric="active_units"))]
    write_scores(tmp_path, scores)
    assert read_scores(tmp_path) == scores
    rows = json.loads((tmp_path / FILE).read_text())
    assert [(row["num_images"], row.get("num_evaluated")) for row in rows] == [(1500, 2000), (2000, None)]
    assert rows[0]["missing"] == {"shape": 500}
    assert rows[0]["binned"] == {"scale": 20}


def test_rows_of_an_earlier_version_are_read_with_the_factor_in_their_name(tmp_path):
    """A factor's name may have parts that another factor has."""
    old = {key: value for key, value in row(factors=["x", "pos_x"]).items() if key not in ("factor", "unit")}
    names = ("mig", "mig_pos_x", "mig_x", "mig_average_max_information")
    (tmp_path / FILE).write_text(json.dumps([{**old, "name": name} for name in names]))
    scores = read_scores(tmp_path)
    assert [score.label for score in scores] == list(names)
    assert [score.factor for score in scores] == [None, "pos_x", "x", None]
    write_scores(tmp_path, scores)
    assert read_scores(tmp_path) == scores
