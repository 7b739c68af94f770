"""What numbers depend on, and what goes from one data set to another, against other packages."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression

from disent_runner.report import studies
from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.making import read
from disent_runner.report.pooling import pool
from tests.report.folders import score, write_run

SETTINGS = (("betavae", 1.0), ("betavae", 4.0), ("betavae", 8.0), ("factorvae", None))
OTHER = {"name": "shapes3d", "source": "rendered", "hash": "77aa"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Four settings of two models, three seeds each (one of two) on two data sets; MIG of each by its place."""
    folder, rng = tmp_path_factory.mktemp("studies"), np.random.default_rng(3)
    values: dict[tuple[str, str, float | None, int], float] = {}
    for dataset, (model, beta), seed in itertools.product(("dsprites", "shapes3d"), SETTINGS, range(3)):
        if (beta, seed) == (8.0, 2):
            continue
        value = 0.1 * (beta or 3) + (model == "factorvae") + 0.3 * rng.standard_normal()
        values[dataset, model, beta, seed] = value
        facts = {} if dataset == "dsprites" else {"dataset": "shapes3d", "factors": ("hue",)}
        data = None if dataset == "dsprites" else OTHER
        at = folder / f"{dataset}-{model}-{beta}-{seed}"
        write_run(at, [score("mig", value, **facts)], beta=beta, model=model, seed=seed, data=data)
    return read([folder])[0], values


def test_shares_of_variance_are_those_of_a_regression_on_indicators(runs):
    found, values = runs
    table: Any = studies.explained(pool(found), headline_numbers(found))
    assert sorted(table["dataset"]) == ["dsprites", "shapes3d"]
    for line in table.itertuples():
        rows = {key[1:]: value for key, value in values.items() if key[0] == line.dataset}
        y = np.array(list(rows.values()))
        model, setting = (
            LinearRegression().fit(x, y).score(x, y)
            for x in (pd.get_dummies([key[0] for key in rows]), pd.get_dummies([str(key[:2]) for key in rows]))
        )
        assert line.model == pytest.approx(model)
        assert line.model + line.setting == pytest.approx(setting)
        assert line.model + line.setting + line.seed == pytest.approx(1)
        assert (line.models, line.settings, line.runs) == (2, 4, 11)


def test_transfer_is_that_of_the_means_and_of_every_pair_of_runs(runs):
    found, values = runs
    table: Any = studies.transfer(pool(found), headline_numbers(found), directions(found))
    assert sorted(zip(table["from"], table["to"], strict=True)) == [("dsprites", "shapes3d"), ("shapes3d", "dsprites")]
    of = {
        name: [
            [values[name, *setting, seed] for seed in range(3) if (name, *setting, seed) in values]
            for setting in SETTINGS
        ]
        for name in ("dsprites", "shapes3d")
    }
    for line in table.itertuples():
        first, second = of[line[1]], of[line.to]
        means = [[np.mean(setting) for setting in table] for table in (first, second)]
        assert line.spearman == pytest.approx(spearmanr(*means).statistic)  # pyright: ignore
        best = second[int(np.argmax(means[0]))]
        wins = [np.mean([(a > b) + (a == b) / 2 for a in best for b in setting]) for setting in second]
        assert line[5] == pytest.approx(np.mean(wins))
        assert line.settings == 4


def test_what_has_nothing_to_compare_is_left_out(tmp_path):
    write_run(tmp_path / "one", [score("mig", 0.5)], beta=1.0)
    write_run(tmp_path / "other", [score("mig", 0.5)], beta=4.0)
    found = read([tmp_path])[0]
    assert studies.explained(pool(found), headline_numbers(found)).empty  # one seed each
    write_run(tmp_path / "again", [score("mig", 0.5)], beta=4.0, seed=1)
    found = read([tmp_path])[0]
    assert studies.explained(pool(found), headline_numbers(found)).empty  # one value
    assert studies.transfer(pool(found), headline_numbers(found), {"mig": "higher"}).empty
