import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.notes import notes
from disent_runner.report.pooling import each_once, labels, pool, shown_columns
from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described
from tests.report.folders import row, write_run


def read(folder: Path):
    runs, _ = read_runs([folder])
    once, copies = each_once(runs)
    return described(once), copies


def pooled(folder: Path):
    return pool(read(folder)[0])


def groups(folder: Path, number: str = "mig") -> list[list[float]]:
    return [setting.values(number) for setting in pooled(folder)]


def test_seeds_of_a_setting_are_one_row(tmp_path):
    for seed, beta in [(0, 1), (1, 1), (2, 1), (0, 4), (1, 4)]:
        write_run(tmp_path / f"{beta}-{seed}", [row("mig", beta + seed / 10)], seed=seed, beta=beta)
    assert groups(tmp_path) == [[1.0, 1.1, 1.2], [4.0, 4.1]]


APART = {
    "dataset": ({}, {"dataset": "shapes3d"}),
    "source": ({}, {"source": "official"}),
    "num_images": ({}, {"num_images": 5000}),
    "representation": ({}, {"representation": "sampled"}),
    "factors": ({}, {"factors": ["scale"]}),
    "version": ({}, {"version": "0.2.0"}),
    "step": ({}, {"step": 200}),
    "binned": ({}, {"binned": {"scale": 20}}),
    "metric.mig.num_bins": ({}, {"settings": {"num_bins": 30}}),
    "data_hash": ({"facts": {"data_hash": "another"}}, {}),
    "trained with": ({"facts": {"versions": {"disent-runner": "0.2.0"}}}, {}),
    "id": ({"facts": {"id": "another"}}, {}),
    "model.beta": ({"beta": 8.0}, {}),
    "optimizer.lr": ({"optimizer": {"lr": 1.0}}, {}),
    "trainer.max_steps": ({"max_steps": 200}, {"step": 200}),
}


@pytest.mark.parametrize("column", APART)
def test_whatever_else_differs_makes_two_rows_and_is_their_column(tmp_path, column):
    of_config, of_row = APART[column]
    write_run(tmp_path / "a", [row("mig", 0.25)], seed=0)
    write_run(tmp_path / "b", [row("mig", 0.5, **of_row)], seed=1, **of_config)
    found = pooled(tmp_path)
    assert sorted(setting.values("mig") for setting in found) == [[0.25], [0.5]]
    shown = shown_columns(found)
    assert column in shown
    assert len({setting.columns.get(column) for setting in found}) == 2
    assert len(set(labels(found))) == 2


def test_the_source_is_always_shown(tmp_path):
    write_run(tmp_path / "a")
    assert shown_columns(pooled(tmp_path)) == ["dataset", "source", "model"]


FACTS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2),
        "beta": st.sampled_from([1.0, 4.0]),
        "data_hash": st.sampled_from(["x", "y"]),
        "steps": st.lists(st.sampled_from([100, 200, 300]), min_size=1, max_size=3, unique=True),
        "num_bins": st.sampled_from([20, 30]),
        "version": st.sampled_from(["0.1.0", "0.2.0"]),
        "representation": st.sampled_from(["mean", "sampled"]),
        "failed": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(FACTS, min_size=1, max_size=8))
def test_pooled_values_have_all_in_common_but_the_seed(runs):
    """Against a grouping by everything that was put into the folders, values being those of no other run."""
    expected: dict[tuple, dict[int, float]] = {}
    folder = Path(tempfile.mkdtemp())
    for place, facts in enumerate(runs):
        value = None if facts["failed"] else place + 0.5
        making = {key: facts[key] for key in ("version", "representation")}
        bins = {"num_bins": facts["num_bins"]}
        rows = [row("mig", value and value + step, step=step, settings=bins, **making) for step in facts["steps"]]
        rows.append(row("sap", place + 0.25, step=max(facts["steps"]), **making))  # so that no run is without a value
        write_run(
            folder / f"{place}",
            rows,
            seed=facts["seed"],
            beta=facts["beta"],
            facts={"data_hash": facts["data_hash"]},
        )
    kept, copies = read(folder)
    assert len(kept) + len(copies) == len(runs)
    for run in kept:
        facts = runs[int(run.folder.name)]
        step = max(facts["steps"])
        key = (facts["beta"], facts["data_hash"], step, *(facts[k] for k in ("num_bins", "version", "representation")))
        of_seeds = expected.setdefault(key, {})
        assert facts["seed"] not in of_seeds
        if not facts["failed"]:
            of_seeds[facts["seed"]] = int(run.folder.name) + 0.5 + step
    found = [setting.values("mig") for setting in pool(kept)]
    wanted = [[of_seeds[seed] for seed in sorted(of_seeds)] for of_seeds in expected.values()]
    assert sorted(found) == sorted(wanted)
    shutil.rmtree(folder)


def test_a_copied_folder_counts_once_and_is_said(tmp_path):
    first = write_run(tmp_path / "a" / "seed=0")
    shutil.copytree(first, tmp_path / "b" / "seed=0")
    write_run(tmp_path / "c" / "seed=1", [row("mig", 0.75)], seed=1)
    _, (copy,) = read(tmp_path)
    assert (copy.folder, copy.reason) == (tmp_path / "b" / "seed=0", f"the same run as {first}, which counts")
    assert groups(tmp_path) == [[0.25, 0.75]]


def test_of_a_run_and_its_unfinished_copy_the_finished_one_counts(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.1, step=100)])
    finished = write_run(tmp_path / "b", [row("mig", 0.1, step=100), row("mig", 0.25), row("sap", 0.5)])
    _, (copy,) = read(tmp_path)
    assert copy.reason == f"the same run as {finished}, which counts; its numbers are others"
    assert groups(tmp_path) == [[0.25]]


def test_intermediate_checkpoints_do_not_count(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.1, step=100), row("mig", 0.25), row("mig", 0.2, step=200)])
    assert groups(tmp_path) == [[0.25]]


def test_without_the_final_step_the_last_one_counts_apart(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.25)], seed=0)
    write_run(tmp_path / "b", [row("mig", 0.1, step=100), row("mig", 0.2, step=200)], seed=1)
    runs, _ = read(tmp_path)
    found = pool(runs)
    assert [(setting.columns["step"], setting.values("mig")) for setting in found] == [(200, [0.2]), (300, [0.25])]
    assert "not scored after the last step, and kept apart: 1 run" in notes(runs, found)


def test_a_baseline_that_takes_no_step_is_scored_after_its_last(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.25, step=0)])
    runs, _ = read(tmp_path)
    assert notes(runs, pool(runs)) == []


def test_a_metric_that_failed_is_not_in_the_mean_but_said(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.25), row("sap", 0.5)], seed=0)
    write_run(tmp_path / "b", [row("mig", None, error="codes are nan"), row("sap", 0.75)], seed=1)
    runs, _ = read(tmp_path)
    (setting,) = pool(runs)
    assert (setting.values("mig"), setting.values("sap")) == ([0.25], [0.5, 0.75])
    assert "mig has no value in 1 run: codes are nan" in notes(runs, [setting])


def test_a_run_without_a_metric_stays_with_those_that_have_it(tmp_path):
    """Although another setting has that metric with other bins."""
    write_run(tmp_path / "a", [row("mig", 0.25), row("sap", 0.5)], seed=0)
    write_run(tmp_path / "b", [row("sap", 0.75)], seed=1)
    write_run(tmp_path / "c", [row("mig", 0.5, settings={"num_bins": 30})], beta=8.0)
    assert groups(tmp_path, "sap") == [[0.5, 0.75], []]


def test_codes_from_a_file_are_pooled_over_seeds(tmp_path):
    rows = [row("mig", 0.25, source="file", dataset="codes.npz", step=None, representation="given")]
    for seed in range(2):
        folder = write_run(tmp_path / f"seed={seed}", rows, seed=seed)
        facts = {"folder": str(folder), "data_source": "/x/codes.npz", "versions": {"disent-runner": "0.1.0"}}
        (folder / "config.yaml").write_text(json.dumps({"seed": seed, "metric": {}, "run": facts}))
    (setting,) = pooled(tmp_path)
    assert setting.values("mig") == [0.25, 0.25]
    assert setting.columns["model"] == "codes"


def headlines(tmp_path, *rows) -> dict[str, str]:
    write_run(tmp_path / "seed=0", list(rows))
    return headline_numbers(read(tmp_path)[0])


def test_the_number_of_the_metric_s_own_name_is_its_headline(tmp_path):
    rows = [row("mig", 0.1), row("mig_shape", 0.2, metric="mig"), row("mig_most", 1.0, metric="mig", better="higher")]
    assert headlines(tmp_path, *rows) == {"mig": "mig"}


def test_without_it_those_with_a_better_side_are(tmp_path):
    rows = [
        row("infom", 0.1, metric="infomec", better="higher"),
        row("infom_shape", 0.1, metric="infomec", better="higher"),
        row("infomec_factor_1", 0.1, metric="infomec", better="higher"),
        row("codes", 10.0, metric="infomec"),
    ]
    assert headlines(tmp_path, *rows) == {"infom": "infomec"}


def test_without_those_all_but_the_factors_are(tmp_path):
    rows = [row(name, 0.1, metric="kl_decomposition") for name in ("kl", "kl_scale", "kl_latent_3", "index_code_mi")]
    assert headlines(tmp_path, *rows) == {"kl": "kl_decomposition", "index_code_mi": "kl_decomposition"}


def test_two_metrics_with_a_number_of_one_name_stay_apart(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.25), row("mig", 0.75, metric="mig30")])
    runs, _ = read(tmp_path)
    assert headline_numbers(runs) == {"mig/mig": "mig", "mig30/mig": "mig30"}
    (setting,) = pool(runs)
    assert (setting.values("mig/mig"), setting.values("mig30/mig")) == ([0.25], [0.75])


def test_a_direction_that_one_folder_knows_holds_for_all(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.25, better=None)], seed=0)
    write_run(tmp_path / "b", [row("mig", 0.25), row("active_units", 3.0)], seed=1)
    assert directions(read(tmp_path)[0]) == {"mig": "higher", "active_units": None}


def test_folders_of_before_are_said_to_have_no_directions(tmp_path):
    write_run(tmp_path / "a", [row("mig", 0.25, better=None)])
    runs, _ = read(tmp_path)
    assert notes(runs, pool(runs)) == [
        "no number says whether it had better be higher or lower (scored by an older version): none is bold"
    ]


def test_mixed_versions_and_sources_are_said(tmp_path):
    write_run(tmp_path / "a")
    official = {"data_source": "official", "data_hash": "another"}
    write_run(tmp_path / "b", [row("mig", 0.5, source="official", version="0.2.0")], seed=1, facts=official)
    runs, _ = read(tmp_path)
    assert notes(runs, pool(runs)) == [
        "versions of disent-runner that scored differ and are kept apart: 0.1.0 (1 run), 0.2.0 (1 run)",
        "sources of dsprites differ and are kept apart: official (1 run), rendered (1 run)",
        "contents (hashes) of dsprites differ and are kept apart: 3a228f4037ef (1 run), another (1 run)",
    ]
