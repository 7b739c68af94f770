import math

import pytest

from disent_runner.report.page.pictures import inlined
from disent_runner.report.page.runs import Part, curves, points_per_curve
from disent_runner.report.run import Run
from disent_runner.report.runs import read_runs
from disent_runner.runs.train_log import append_row
from tests.report.folders import score, write_run


@pytest.mark.parametrize(("runs", "points"), [(1, 200), (200, 200), (400, 100), (2000, 50), (100_000, 50)])
def test_many_runs_have_fewer_points_each(runs, points):
    assert points_per_curve(runs) == points


def test_curves_are_the_columns(tmp_path):
    append_row(tmp_path, {"step": 20, "loss": 123.456, "kl": 1e-9, "discriminator_accuracy": 0.5})
    append_row(tmp_path, {"step": 40, "loss": -0.25, "kl": math.inf, "discriminator_accuracy": math.nan})
    drawing = curves(tmp_path, points=10)
    assert drawing is not None
    assert (drawing["logged"], drawing["steps"]) == (2, "20 40")
    values = {term["name"]: term["values"].split(" ") for term in drawing["terms"]}
    assert values["loss"] == ["123.5", "-0.25"]
    assert [float(text) for text in values["kl"]] == [1e-9, math.inf]
    units = {term["name"]: term["unit"] for term in drawing["terms"]}
    assert units == {"loss": "nats", "kl": "nats", "discriminator_accuracy": ""}


def test_curves_keep_the_first_and_the_last_row(tmp_path):
    for step in range(1, 302):
        append_row(tmp_path, {"step": step, "loss": step / 7})
    drawing = curves(tmp_path, points=20)
    assert drawing is not None
    steps = [int(text) for text in drawing["steps"].split(" ")]
    assert (steps[0], steps[-1], len(steps)) == (1, 301, 20)
    losses = [float(text) for text in drawing["terms"][0]["values"].split(" ")]
    assert losses == pytest.approx([step / 7 for step in steps], rel=5e-4)


def test_a_torn_row_is_left_out_and_without_rows_there_are_no_curves(tmp_path):
    assert curves(tmp_path, points=10) is None
    append_row(tmp_path, {"step": 20, "loss": 1.0, "kl": 2.0})
    with (tmp_path / "train.csv").open("a") as file:
        file.write("40,2")
    drawing = curves(tmp_path, points=10)
    assert drawing is not None
    assert (drawing["steps"], [term["values"] for term in drawing["terms"]]) == ("20", ["1", "2"])


def part_of(*runs: Run) -> dict:
    part = Part()
    for run in runs:
        part.add(run, points=10, address=inlined)
    return part.plain()


def test_a_part_gives_back_what_the_folders_hold(tmp_path):
    scores = [
        score("mig", 0.25, seconds=0.1),
        score("sap", None, error="no classes"),
        score("mig", 0.5, settings={"num_bins": 5}, step=100),
    ]
    for seed in range(2):
        write_run(tmp_path / str(seed), scores, seed=seed)
    runs, _ = read_runs([tmp_path])
    part = part_of(*runs)
    for run, details in zip(runs, part["runs"], strict=True):
        config = "".join(part["sections"][place] for place in details["config"])
        assert config == (run.folder / "config.yaml").read_text()
        numbers = [number[:3] for number in details["numbers"]]
        assert numbers == [["mig", 0.25, "higher"], ["sap", None, "higher"], ["mig", 0.5, "higher"]]
        settings = [part["makings"][making]["settings"] for *_, making, _, _ in details["numbers"]]
        assert settings == ["num_bins=20", "num_bins=20", "num_bins=5"]
        assert (details["numbers"][0][4], details["numbers"][1][5]) == (0.1, "no classes")
    assert len(part["makings"]) == 3, "runs share how their numbers were made"
    assert len(part["sections"]) < sum(len(details["config"]) for details in part["runs"])


def test_a_folder_that_went_away_leaves_an_empty_view(tmp_path):
    run = Run(tmp_path / "gone", {}, {}, [score("mig", 0.25)], seed=0, model="vae", identity={})
    (details,) = part_of(run)["runs"]
    assert (details["config"], details["curves"], details["pictures"]) == ([], None, [])
