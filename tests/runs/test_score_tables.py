import csv
from dataclasses import replace

from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.score_tables import write_tables

MAKING = Making("mig", {"num_bins": 20}, 0, 300, "dsprites", "rendered", 2000, "mean", ("shape", "scale"), "0.1.0")
LABELLED = replace(MAKING, binned={"scale": 20}, missing={"scale": 1500, "shape": 2})
SCORES = [
    Score("mig", None, 0.2, "higher", None, MAKING),
    Score("mig", "scale", 0.3, "higher", "nats", MAKING, num_labelled=1500),
    Score("sap", None, None, "higher", None, MAKING, skipped="no codes"),
]


def test_the_text_tells_what_the_numbers_are_of_and_how_each_was_made(tmp_path):
    write_tables(tmp_path, SCORES)
    text = (tmp_path / "metrics.md").read_text()
    assert (
        "## Mean codes of 2,000 images of dsprites (rendered) after step 300, seed 0\n\nFactors: shape, scale" in text
    )
    assert "| number | value | unit | images | settings |\n| --- | --- | --- | --- | --- |\n| mig | 0.2000 |" in text
    assert "| mig | 0.2000 |  | 2,000 | num_bins=20 |" in text
    assert "| mig_scale | 0.3000 | nats | 1,500 |  |" in text
    assert "| sap | skipped: no codes |" in text


def test_continuous_factors_and_missing_labels_are_said(tmp_path):
    write_tables(tmp_path, [replace(SCORES[0], making=LABELLED)])
    text = (tmp_path / "metrics.md").read_text()
    assert "Factors: shape (2 labels missing), scale (continuous, 20 bins; 1,500 labels missing)\n" in text
    with (tmp_path / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["binned"], row["missing"]) == ("scale=20", "scale=1500; shape=2")


def test_the_flat_table_has_a_row_for_each_number(tmp_path):
    write_tables(tmp_path, SCORES)
    with (tmp_path / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["factor"], row["value"], row["skipped"]) for row in rows] == [
        ("mig", "", "0.2", ""),
        ("mig", "scale", "0.3", ""),
        ("sap", "", "", "no codes"),
    ]
    assert rows[0]["settings"] == "num_bins=20"
    assert rows[0]["factors"] == "shape, scale"
