import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.report.making import read
from disent_runner.report.pooling import pool, without_copies
from disent_runner.report.runs import read_runs
from disent_runner.runs.record import record_scoring
from tests.report.folders import run_config, score, write_run


def pooled(folder: Path):
    return pool(read([folder])[0])


def groups(folder: Path, number: str = "mig") -> list[list[float]]:
    return [setting.values(number) for setting in pooled(folder)]


def test_seeds_of_a_setting_are_one_row(tmp_path):
    for seed, beta in [(0, 1), (1, 1), (2, 1), (0, 4), (1, 4)]:
        write_run(tmp_path / f"{beta}-{seed}", [score("mig", beta + seed / 10)], seed=seed, beta=beta)
    assert groups(tmp_path) == [[1.0, 1.1, 1.2], [4.0, 4.1]]


FACTS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2),
        "beta": st.sampled_from([1.0, 4.0]),
        "hash": st.sampled_from(["x", "y"]),
        "steps": st.lists(st.sampled_from([100, 200, 300]), min_size=1, max_size=3, unique=True),
        "num_bins": st.sampled_from([20, 30]),
        "version": st.sampled_from(["0.1.0", "0.2.0"]),
        "representation": st.sampled_from(["mean", "sampled"]),
        "failed": st.booleans(),
    }
)


def write_drawn(folder: Path, place: int, facts: dict) -> None:
    """A run whose numbers are those of no other."""
    making = {key: facts[key] for key in ("version", "representation")}
    bins = {"num_bins": facts["num_bins"]}
    values = {step: None if facts["failed"] else place + 0.5 + step for step in facts["steps"]}
    scores = [score("mig", value, step=step, settings=bins, **making) for step, value in values.items()]
    scores.append(score("sap", place + 0.25, step=max(facts["steps"]), **making))  # so that no run is without a value
    write_run(folder / f"{place}", scores, seed=facts["seed"], beta=facts["beta"], data={"hash": facts["hash"]})


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(FACTS, min_size=1, max_size=8))
def test_pooled_values_have_all_in_common_but_the_seed(runs):
    """Against a grouping by everything that was put into the folders."""
    expected: dict[tuple, dict[int, float]] = {}
    folder = Path(tempfile.mkdtemp())
    for place, facts in enumerate(runs):
        write_drawn(folder, place, facts)
    originals, copies = without_copies(read_runs([folder])[0])
    assert len(originals) + len(copies) == len(runs)
    for run in originals:
        place = int(run.folder.name)
        facts, step = runs[place], max(runs[place]["steps"])
        key = (step, *(facts[name] for name in ("beta", "hash", "num_bins", "version", "representation")))
        seeds = expected.setdefault(key, {})
        assert facts["seed"] not in seeds
        if not facts["failed"]:
            seeds[facts["seed"]] = place + 0.5 + step
    values = [[seeds[seed] for seed in sorted(seeds)] for seeds in expected.values()]
    assert sorted(setting.values("mig") for setting in pool(originals)) == sorted(values)
    shutil.rmtree(folder)


def test_a_copied_folder_counts_once_and_is_said(tmp_path):
    first = write_run(tmp_path / "a" / "seed=0")
    shutil.copytree(first, tmp_path / "b" / "seed=0")
    write_run(tmp_path / "c" / "seed=1", [score("mig", 0.75)], seed=1)
    _, (copy,) = read([tmp_path])
    assert (copy.folder, copy.reason) == (tmp_path / "b" / "seed=0", f"the same run as {first}, which counts")
    assert groups(tmp_path) == [[0.25, 0.75]]


def test_of_a_run_and_its_unfinished_copy_the_finished_one_counts(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.1, step=100)])
    finished = write_run(tmp_path / "b", [score("mig", 0.1, step=100), score("mig", 0.25), score("sap", 0.5)])
    _, (copy,) = read([tmp_path])
    assert copy.reason == f"the same run as {finished}, which counts; its numbers are others"
    assert groups(tmp_path) == [[0.25]]


def test_intermediate_checkpoints_do_not_count(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.1, step=100), score("mig", 0.25), score("mig", 0.2, step=200)])
    assert groups(tmp_path) == [[0.25]]


def test_without_the_final_step_the_last_one_counts_apart(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25)], seed=0)
    write_run(tmp_path / "b", [score("mig", 0.1, step=100), score("mig", 0.2, step=200)], seed=1)
    rows = [(setting.columns["step"], setting.values("mig")) for setting in pooled(tmp_path)]
    assert rows == [(200, [0.2]), (300, [0.25])]


def test_a_metric_that_failed_is_not_in_the_mean(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25), score("sap", 0.5)], seed=0)
    write_run(tmp_path / "b", [score("mig", None, error="codes are nan"), score("sap", 0.75)], seed=1)
    (setting,) = pooled(tmp_path)
    assert (setting.values("mig"), setting.values("sap")) == ([0.25], [0.5, 0.75])


def test_a_run_without_a_metric_stays_with_those_that_have_it(tmp_path):
    """Although another setting has that metric with other bins."""
    write_run(tmp_path / "a", [score("mig", 0.25), score("sap", 0.5)], seed=0)
    write_run(tmp_path / "b", [score("sap", 0.75)], seed=1)
    write_run(tmp_path / "c", [score("mig", 0.5, settings={"num_bins": 30})], beta=8.0)
    assert groups(tmp_path, "sap") == [[0.5, 0.75], []]


def test_codes_from_a_file_are_pooled_over_seeds(tmp_path):
    table = tmp_path / "codes.npz"
    table.write_bytes(b"codes")
    making = {"source": "file", "dataset": "codes.npz", "step": None, "representation": "given"}
    for seed in range(2):
        folder = write_run(tmp_path / f"seed={seed}", [score("mig", 0.25, **making)], seed=seed)
        record_scoring(run_config(seed=seed), folder, table)
    (setting,) = pooled(tmp_path)
    assert setting.values("mig") == [0.25, 0.25]
    assert setting.columns["model"] == "codes"


def test_two_metrics_with_a_number_of_one_name_stay_apart(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25), score("mig", 0.75, metric="mig30")])
    (setting,) = pooled(tmp_path)
    assert (setting.values("mig/mig"), setting.values("mig30/mig")) == ([0.25], [0.75])
