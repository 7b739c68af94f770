import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent_runner.report.page_pictures import inlined
from disent_runner.report.page_runs import Part, curves, evenly_spaced, points_per_curve
from disent_runner.report.report import Run
from tests.report.folders import row, write_run


@given(st.integers(0, 400), st.integers(2, 50))
def test_evenly_spaced_keeps_order_ends_and_count(count, most):
    items = [str(number) for number in range(count)]
    kept = [int(item) for item in evenly_spaced(items, most)]
    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    if count:
        assert (kept[0], kept[-1]) == (0, count - 1)
    gaps = {second - first for first, second in itertools.pairwise(kept)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(("runs", "points"), [(1, 200), (200, 200), (400, 100), (2000, 50), (100_000, 50)])
def test_many_runs_have_fewer_points_each(runs, points):
    assert points_per_curve(runs) == points


def test_curves_are_the_columns(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("step,loss,kl,discriminator_accuracy\n20,123.456,1e-9,0.5\n40,-0.25,inf,nan\n")
    made = curves(path, points=10)
    assert made is not None
    assert made["logged"] == 2
    assert made["steps"] == "20 40"
    values = {term["name"]: term["values"].split(" ") for term in made["terms"]}
    assert values["loss"] == ["123.5", "-0.25"]
    assert [float(text) for text in values["kl"]] == [1e-9, math.inf]
    assert {term["name"]: term["unit"] for term in made["terms"]} == {
        "loss": "nats",
        "kl": "nats",
        "discriminator_accuracy": "",
    }


def test_curves_keep_the_first_and_the_last_row(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("step,loss\n" + "".join(f"{step},{step / 7}\n" for step in range(1, 3001)))
    made = curves(path, points=200)
    assert made is not None
    steps = [int(text) for text in made["steps"].split(" ")]
    assert (steps[0], steps[-1], len(steps)) == (1, 3000, 200)
    losses = [float(text) for text in made["terms"][0]["values"].split(" ")]
    assert losses == pytest.approx([step / 7 for step in steps], rel=5e-4)


@pytest.mark.parametrize("torn", ["40,2", "40", "forty,2.0,3.0", "", "40,2.0,3.0,4.0", "nan,1.0,2.0"])
def test_a_torn_row_is_left_out(tmp_path, torn):
    path = tmp_path / "train.csv"
    path.write_text(f"step,loss,kl\n20,1.0,2.0\n{torn}\n60,3.0,4.0\n")
    made = curves(path, points=10)
    assert made is not None
    assert made["steps"] == "20 60"
    assert [term["values"] for term in made["terms"]] == ["1 3", "2 4"]


@pytest.mark.parametrize("content", [None, "", "step,loss\n", "loss,step\n1,2\n", "\x00\x01", "step,loss\nx,y\n"])
def test_no_curves_without_rows(tmp_path, content):
    path = tmp_path / "train.csv"
    if content is not None:
        path.write_text(content)
    assert curves(path, points=10) is None


def run_of(folder, rows) -> Run:
    return Run(folder, {}, {}, rows, seed=0, model="vae", identity={})


def test_a_part_gives_back_what_the_folders_hold(tmp_path):
    part = Part()
    rows = [
        row("mig", 0.25, seconds=0.1),
        row("sap", None, error="no classes"),
        row("mig", 0.5, settings={"num_bins": 5}),
    ]
    folders = [write_run(tmp_path / str(seed), rows, seed=seed) for seed in range(2)]
    for folder in folders:
        part.add(run_of(folder, rows), points=10, address=inlined)
    plain = part.plain()
    for folder, run in zip(folders, plain["runs"], strict=True):
        assert "".join(plain["sections"][place] for place in run["config"]) == (folder / "config.yaml").read_text()
        assert [number[:3] for number in run["numbers"]] == [
            ["mig", 0.25, "higher"],
            ["sap", None, "higher"],
            ["mig", 0.5, "higher"],
        ]
        settings = [plain["makings"][making]["settings"] for *_, making, _, _ in run["numbers"]]
        assert settings == ["num_bins=20", "num_bins=20", "num_bins=5"]
        assert run["numbers"][0][4] == 0.1
        assert run["numbers"][1][5] == "no classes"
    assert len(plain["makings"]) == 3, "runs share how their numbers were made"
    assert len(plain["sections"]) < sum(len(run["config"]) for run in plain["runs"])


def test_a_folder_that_went_away_leaves_an_empty_view(tmp_path):
    part = Part()
    part.add(run_of(tmp_path / "gone", [row("mig", 0.25)]), points=10, address=inlined)
    (run,) = part.plain()["runs"]
    assert (run["config"], run["curves"], run["pictures"]) == ([], None, [])
