import numpy as np
import pytest

import disent_runner
from disent_runner.runs.scores import read_scores, row_of
from disent_runner.stages.job import run_job

FACTORS = np.indices((4, 5)).reshape(2, -1).T
CODES = FACTORS.astype(float)


def values(table, name):
    rows = table[table.name == name]
    return dict(zip(rows.factor.fillna("all"), rows.value, strict=True))


def test_arrays_get_a_row_for_every_number():
    table = disent_runner.score(CODES, FACTORS, metric=["mig", "unsupervised"], factor_names=["shape", "hue"])
    assert values(table, "mig") == pytest.approx({"all": 1.0, "shape": 1.0, "hue": 1.0})
    assert list(table.metric.unique()) == ["mig", "unsupervised"]
    assert set(table.columns) >= {"name", "factor", "value", "better", "unit", "metric", "settings", "seed", "version"}
    assert table.set_index("name").loc["gaussian_total_correlation"][["better", "unit"]].tolist() == ["lower", "nats"]
    assert values(disent_runner.score(CODES * [1, 0], FACTORS, metric="mig"), "mig")["factor_1"] == 0.0


def test_the_rows_are_those_of_a_run_that_scores_the_same_file(composed, tmp_path):
    """Codes of other people at the command line, and their posteriors."""
    rng = np.random.default_rng(0)
    arrays = {"codes": rng.normal(size=(60, 3)), "factors": FACTORS.repeat(3, 0), "logvar": np.full((60, 3), -2.0)}
    np.savez(tmp_path / "codes.npz", **arrays, factor_names=np.array(["shape", "hue"]))
    asked = ("metric=[mig,mig_exact,sap]", "stages=[evaluate]", f"representation={tmp_path}/codes.npz")
    run_job(composed(*asked), tmp_path / "run")
    table = disent_runner.score(**arrays, metric=["mig", "mig_exact", "sap"], factor_names=["shape", "hue"])
    alike = ["name", "factor", "value", "better", "unit", "metric", "settings", "representation", "factors", "version"]
    rows = [row_of(score) for score in read_scores(tmp_path / "run")]
    expected = [[row[key] for key in alike] for row in rows]
    assert table[alike].replace({np.nan: None}).to_numpy().tolist() == expected


def test_settings_presets_and_seeds_are_as_at_the_command_line():
    fast = disent_runner.score(CODES, FACTORS)
    assert {"mig", "sap", "factor_vae_score", "irs"} <= set(fast.metric)
    assert fast.skipped.dropna().tolist() == ["reconstruction needs the model's decoder and images, got codes alone"]
    table = disent_runner.score(CODES, FACTORS, metric={"mig": {"num_bins": 2}, "jemmig": None}, seed=3)
    assert table.settings[0]["num_bins"] == 2
    assert set(table.seed) == {3}
    assert values(table, "mig")["all"] < 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric": "mgi"}, "metric=mgi: no such metric, did you mean mig"),
        ({"metric": ["mig", "quick"]}, "metric=quick: no such metric.*choose from all, fast, paper, active_units"),
        ({"metric": {"mig": {"bins": 3}}}, r"metric\.mig\.bins: no such key; keys here: num_samples, num_bins"),
        ({"factors": FACTORS[:9]}, r"factors must be \(N, K\) or \(N,\) with the 20 rows of codes, got shape \(9, 2\)"),
        ({"factor_names": ["shape"]}, "factor_names must name 2 factors, got 1: shape"),
    ],
)
def test_mistakes_are_said(settings, message):
    with pytest.raises(ValueError, match=message):
        disent_runner.score(CODES, **{"factors": FACTORS, "metric": "mig", **settings})


def test_a_metric_that_fails_fails_alone():
    table = disent_runner.score(CODES, FACTORS, metric={"mig": {"num_bins": 0}, "sap": None}).set_index("name")
    assert table.error["mig"] == "mig needs num_bins >= 1, got 0"
    assert table.value.isna().tolist() == [True] + [False] * (len(table) - 1)
