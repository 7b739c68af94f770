from disent_runner.report.making import read
from disent_runner.report.notes import notes
from disent_runner.report.pooling import pool
from tests.report.folders import VERSION, rewrite_facts, score, write_run


def notes_of(folder) -> list[str]:
    runs, _ = read([folder])
    return notes(runs, pool(runs))


def test_an_earlier_step_is_said_but_that_of_a_baseline_is_not(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25)], seed=0)
    write_run(tmp_path / "b", [score("mig", 0.25, step=0)], model="pca")
    assert notes_of(tmp_path) == []
    write_run(tmp_path / "c", [score("mig", 0.2, step=200)], seed=1)
    assert notes_of(tmp_path) == ["not scored after the last step, and kept apart: 1 run"]


def test_a_metric_that_failed_is_said(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25), score("sap", 0.5)], seed=0)
    write_run(tmp_path / "b", [score("mig", None, error="codes are nan"), score("sap", 0.75)], seed=1)
    assert notes_of(tmp_path) == ["mig has no value in 1 run: codes are nan"]


def test_continuous_factors_and_images_without_labels_are_said(tmp_path):
    binned = {"scale": 20}
    numbers = [score(name, 0.25, binned=binned, missing={}, num_labelled=1500) for name in ("mig", "sap")]
    for seed in (0, 1):
        write_run(tmp_path / str(seed), [*numbers, score("reconstruction", 3.0, binned=binned)], seed=seed)
    assert notes_of(tmp_path) == [
        "scale of dsprites is continuous, in 20 bins",
        "mig, sap of dsprites: 1,500 of 2,000 images, those whose labels are all known",
    ]


def test_folders_of_before_are_said_to_have_no_directions(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25, better=None)])
    assert notes_of(tmp_path) == [
        "no number says whether it had better be higher or lower (scored by an older version): none is bold"
    ]


def test_mixed_versions_and_sources_are_said(tmp_path):
    write_run(tmp_path / "a")
    official = {"source": "official", "hash": "another"}
    second = write_run(tmp_path / "b", [score("mig", 0.5, source="official", version="0.0.9")], seed=1, data=official)
    rewrite_facts(second, versions={"disent-runner": "0.0.8"})
    assert notes_of(tmp_path) == [
        f"versions of disent-runner that scored differ and are kept apart: 0.0.9 (1 run), {VERSION} (1 run)",
        f"versions of disent-runner that trained differ and are kept apart: 0.0.8 (1 run), {VERSION} (1 run)",
        "sources of dsprites differ and are kept apart: official (1 run), rendered (1 run)",
        "contents (hashes) of dsprites differ and are kept apart: 3a228f4037ef (1 run), another (1 run)",
    ]
