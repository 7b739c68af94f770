import numpy as np
import pytest

import disent_runner
from disent_runner.runs.score_rows import row_of
from disent_runner.runs.scores import read_scores
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


def test_real_factors_score_alike_however_many_images_there_are():
    """A perfect code of 256 images had a MIG of 0.003, of 257 one of 0.744."""
    for num_images in (100, 256, 257):
        reals = np.random.default_rng(0).random((num_images, 3))
        asked = {"mig": None, "factor_vae_score": {"num_train": 1000, "num_eval": 500}, "modularity": None}
        table = disent_runner.score(reals, reals, metric=asked)
        assert values(table, "mig")["all"] > 0.5
        assert values(table, "factor_vae_score")["all"] > 0.9
        assert values(table, "modularity")["all"] > 0.7
        assert table.binned[0] == {f"factor_{k}": 20 for k in range(3)}
    by_rank = disent_runner.score(reals, reals, metric="mig", discrete=["factor_0", "factor_1", "factor_2"])
    assert values(by_rank, "mig")["all"] < 0.1
    assert "binned" not in by_rank


def test_every_row_says_how_many_images_it_is_of(caplog):
    """What a metric does not need may be missing."""
    rng = np.random.default_rng(0)
    factors = FACTORS[rng.integers(20, size=300)].astype(object)
    factors[:100, 0], factors[50:150, 1] = None, np.nan
    codes = rng.normal(size=(300, 4))
    asked = {"mig": None, "clustering_accuracy": {"num_clusters": 4, "factor": "shape"}, "active_units": None}
    table = disent_runner.score(codes, factors, metric=asked, factor_names=["shape", "hue"])
    assert dict(zip(table.metric, table.num_images, strict=True)) == {
        "mig": 150,
        "clustering_accuracy": 200,
        "active_units": 300,
    }
    assert table.missing[0] == {"shape": 100, "hue": 100}
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["shape: 100 of 300 labels are missing", "hue: 100 of 300 labels are missing"]
    known = slice(150, None)
    alone = disent_runner.score(codes[known], factors[known], metric="mig", factor_names=["shape", "hue"])
    assert values(alone, "mig") == values(table, "mig")


def test_a_metric_without_enough_labels_says_of_how_many_images_it_would_be():
    table = disent_runner.score(CODES, np.full((20, 1), np.nan), metric="mig")
    assert table.num_images.tolist() == [0]
    assert "got 0 of 20" in table.skipped[0]


@pytest.mark.parametrize("as_type", [np.int64, np.float32, np.str_, object])
def test_attributes_of_minus_one_and_one_are_values(as_type):
    """As CelebA has them: H(v) = log 2, which a perfect code tells in full."""
    attributes = np.where(np.random.default_rng(0).random((300, 3)) < 0.5, -1, 1)
    table = disent_runner.score(attributes * 1.0, attributes.astype(as_type), metric="mig").set_index("name")
    assert table.num_images.unique().tolist() == [300]
    assert table.value["mig_average_max_information"] == pytest.approx(np.log(2), abs=0.01)


def test_what_is_said_of_the_labels_of_a_file_holds(composed, tmp_path):
    years = np.arange(300) % 30
    np.savez(tmp_path / "codes.npz", codes=np.c_[years, -years] * 1.0, factors=years, factor_names=["year"])
    asked = ("metric=[mig]", "stages=[evaluate]", f"representation={tmp_path}/codes.npz")
    for said, binned in (("continuous=null", {}), ("continuous=[year]", {"year": 20}), ("discrete=[year]", {})):
        run_job(composed(*asked, said), tmp_path / said)
        (row, *_) = read_scores(tmp_path / said)
        assert (row.making.binned, row.making.missing, row.num_images) == (binned, {}, 300)
    config = composed("model=pixels", "stages=[evaluate]", "continuous=[shape]")
    with pytest.raises(ValueError, match=r"continuous=.* is of codes from a file; .* say 'dataset\.continuous=\[…\]'"):
        run_job(config, tmp_path / "run")


def test_a_run_of_ones_own_images_says_what_its_labels_are(composed, tmp_path):
    rng = np.random.default_rng(0)
    angle = np.where(np.arange(60) < 12, np.nan, rng.random(60))
    np.savez(
        tmp_path / "mine.npz",
        images=rng.integers(0, 256, size=(60, 16, 16), dtype=np.uint8),
        factors=np.c_[angle, np.arange(60) % 3],
        factor_names=["angle", "shape"],
    )
    asked = (
        "model=pixels",
        "dataset=custom",
        f"dataset.path={tmp_path}/mine.npz",
        "dataset.subset=null",
        "dataset.batch_size=8",
    )
    run_job(composed(*asked, "stages=[fit,evaluate]", "metric=[mig,active_units]", "factors=[angle]"), tmp_path / "run")
    rows = {row.name: row for row in read_scores(tmp_path / "run")}
    assert (rows["mig"].num_images, rows["active_units"].num_images) == (48, 60)
    assert (rows["mig"].making.binned, rows["mig"].making.missing) == ({"angle": 20}, {"angle": 12})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric": "mgi"}, "metric=mgi: no such metric, did you mean mig"),
        ({"metric": ["mig", "quick"]}, "metric=quick: no such metric.*choose from all, fast, paper, active_units"),
        ({"metric": {"mig": {"bins": 3}}}, r"metric\.mig\.bins: no such key; keys here: num_samples, num_bins"),
        ({"factors": FACTORS[:9]}, r"factors must be \(N, K\) or \(N,\) with the 20 rows of codes, got shape \(9, 2\)"),
        ({"factor_names": ["shape"]}, r"factor_names must be 2 different names, got \[shape\]"),
    ],
)
def test_mistakes_are_said(settings, message):
    with pytest.raises(ValueError, match=message):
        disent_runner.score(CODES, **{"factors": FACTORS, "metric": "mig", **settings})


def test_a_metric_that_fails_fails_alone():
    table = disent_runner.score(CODES, FACTORS, metric={"mig": {"num_bins": 0}, "sap": None}).set_index("name")
    assert table.error["mig"] == "mig needs num_bins >= 1, got 0"
    assert table.value.isna().tolist() == [True] + [False] * (len(table) - 1)
