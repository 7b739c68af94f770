import pytest

from disent_runner.report.columns import names, shown_columns
from disent_runner.report.making import read
from disent_runner.report.pooling import pool
from tests.report.folders import rewrite_facts, score, write_run

ALWAYS = ["dataset", "source", "model"]


def pooled(folder):
    return pool(read([folder])[0])


APART = {
    "dataset": ({}, {"dataset": "shapes3d"}),
    "source": ({}, {"source": "official"}),
    "num_images": ({}, {"num_images": 5000}),
    "representation": ({}, {"representation": "sampled"}),
    "factors": ({}, {"factors": ("scale",)}),
    "version": ({}, {"version": "0.2.0"}),
    "step": ({}, {"step": 200}),
    "binned": ({}, {"binned": {"scale": 20}}),
    "metric.mig.num_bins": ({}, {"settings": {"num_bins": 30}}),
    "data_hash": ({"data": {"hash": "another"}}, {}),
    "model.beta": ({"beta": 8.0}, {}),
    "optimizer.lr": ({"settings": {"optimizer.lr": 1.0}}, {}),
    "trainer.max_steps": ({"settings": {"trainer.max_steps": 200}}, {"step": 200}),
}
"""Column -> how a run is made, and a number of it."""


@pytest.mark.parametrize("column", APART)
def test_whatever_else_differs_makes_two_rows_and_is_their_column(tmp_path, column):
    run, making = APART[column]
    write_run(tmp_path / "a", [score("mig", 0.25)], seed=0)
    write_run(tmp_path / "b", [score("mig", 0.5, **making)], seed=1, **run)
    check_two_rows(tmp_path, column)


@pytest.mark.parametrize(
    ("column", "fact"), [("trained with", {"versions": {"disent-runner": "0.2.0"}}), ("id", {"id": "another"})]
)
def test_so_does_what_other_versions_recorded(tmp_path, column, fact):
    write_run(tmp_path / "a", [score("mig", 0.25)], seed=0)
    rewrite_facts(write_run(tmp_path / "b", [score("mig", 0.5)], seed=1), **fact)
    check_two_rows(tmp_path, column)


def check_two_rows(folder, column):
    settings = pooled(folder)
    assert sorted(setting.values("mig") for setting in settings) == [[0.25], [0.5]]
    assert shown_columns(settings) == [*dict.fromkeys([*ALWAYS, column])]
    assert len({setting.columns.get(column) for setting in settings}) == 2
    assert len(set(names(settings))) == 2


def test_the_source_is_always_shown(tmp_path):
    write_run(tmp_path / "a")
    assert shown_columns(pooled(tmp_path)) == ALWAYS


def test_what_follows_from_the_data_set_is_no_column(tmp_path):
    """Factors, hash and source of other data are others; of one data set they are told."""
    blob = {"dataset": "blob", "factors": ("pos_x",), "num_images": 1024, "source": "computed"}
    for beta in (1.0, 4.0):
        write_run(tmp_path / f"dsprites-{beta}", beta=beta)
        data = {"hash": "another", "source": "computed"}
        write_run(tmp_path / f"blob-{beta}", [score("mig", 0.5, **blob)], dataset="blob", beta=beta, data=data)
    settings = pooled(tmp_path)
    assert shown_columns(settings) == [*ALWAYS, "model.beta"]
    before = [f"{name}: betavae β={beta}" for name in ("blob", "dsprites") for beta in (1, 4)]
    assert names(settings) == before
    write_run(tmp_path / "scale", [score("mig", 0.5, factors=("scale",))], beta=1.0, seed=1)
    settings = pooled(tmp_path)
    assert shown_columns(settings) == [*ALWAYS, "model.beta", "factors"]
    assert names(settings) == [
        *before[:2],
        "dsprites: betavae β=1 factors=scale",
        "dsprites: betavae β=1",
        before[3],
    ]


def test_a_baseline_that_takes_no_step_is_told_by_its_name(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", [score("mig", 0.5, step=0)], model="pca")
    assert shown_columns(pooled(tmp_path)) == ALWAYS
    write_run(tmp_path / "c", [score("mig", 0.5, step=200)], model="vae")
    assert shown_columns(pooled(tmp_path)) == [*ALWAYS, "step"]
