from dataclasses import replace

import pytest

from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.scores import FILE, headlines, number, numbers, read_scores, replaced, write_scores

MAKING = Making("mig", {"num_bins": 20}, 0, 300, "dsprites", "rendered", 2000, "mean", ("shape", "scale"), "0.1.0")


def test_a_file_that_is_cut_off_is_named(tmp_path):
    write_scores(tmp_path, [Score("mig", None, 0.25, "higher", None, MAKING)])
    path = tmp_path / FILE
    path.write_text(path.read_text()[:40])
    with pytest.raises(ValueError, match=r"metrics\.json is damaged: .*; score the run again: 'stages=\[evaluate\]'"):
        read_scores(tmp_path)


def made(value: float | None, label: str = "mig", **making) -> Score:
    return Score(label, None, value, "higher", None, replace(MAKING, **making), skipped=None if value else "no codes")


@pytest.fixture
def run(tmp_path):
    """A run of two factors, scored after two steps, by means and samples, with all factors and with one."""
    (tmp_path / "config.yaml").write_text("seed: 0\nrun:\n  factors:\n    shape: 3\n    scale: 6\n")
    scores = [
        *(made(0.1, step=100), made(0.2), made(0.3, representation="sampled"), made(0.4, factors=("scale",))),
        *(made(None, "sap", metric="sap"), made(7.0, "elbo", metric="elbo", step=100)),
    ]
    write_scores(tmp_path, scores)
    return tmp_path


def test_the_number_of_a_run_is_that_of_means_and_all_factors_at_the_last_step(run):
    assert number(run, "mig") == 0.2
    assert number(run, "mig", representation="sampled") == 0.3
    assert number(run, "mig", factors=["scale"]) == 0.4
    assert number(run, "mig", step=100) == 0.1
    assert numbers(run) == {"mig": 0.2}


@pytest.mark.parametrize("name", ["sap", "elbo", "mig_scale"])
def test_a_number_that_is_not_there_is_said_with_those_that_are(run, name):
    with pytest.raises(ValueError, match=f"has no number {name} of mean codes; it has mig"):
        number(run, name)


def test_codes_from_a_file_have_the_numbers_of_most_factors(tmp_path):
    scores = [
        made(0.1, representation="given", step=None, factors=("a",)),
        made(0.2, representation="given", step=None),
    ]
    write_scores(tmp_path, scores)
    assert number(tmp_path, "mig") == 0.2


@pytest.mark.parametrize(
    ("labels", "headline"),
    [
        ({"mig": "higher", "mig_more": "higher"}, ["mig"]),
        ({"infom": "higher", "infoe_train": None, "infoc": "higher"}, ["infom", "infoc"]),
        ({"active": None, "active_too": None}, ["active", "active_too"]),
    ],
)
def test_a_metric_is_known_by_its_own_name_or_by_what_has_a_direction(labels, headline):
    making = replace(MAKING, metric="mig" if "mig" in labels else "other")
    scores = [Score(label, None, 0.5, better, None, making) for label, better in labels.items()]
    part = Score("part", "scale", 0.5, "higher", None, making)
    assert headlines([part, *scores]) == {making.metric: headline}


def test_new_rows_take_the_place_of_those_of_the_same_subject(run):
    new = [made(0.9, version="0.2.0"), made(0.8, "mig_more", version="0.2.0")]
    values = [score.value for score in replaced(read_scores(run), new)]
    assert values == [0.1, 0.3, 0.4, None, 7.0, 0.9, 0.8]


@pytest.mark.parametrize(("part", "expected"), [("all", 0.2), ("held_out", 0.5)])
def test_the_number_is_of_the_images_that_the_run_s_own_config_evaluates(tmp_path, part, expected):
    """Others may have been scored since, or before."""
    text = "evaluation:\n  part: {}\nrun:\n  data_name: dsprites\n  factors:\n    shape: 3\n    scale: 6\n"
    (tmp_path / "config.yaml").write_text(text.format(part))
    scores = [made(0.2), made(0.5, dataset="dsprites, held-out images"), made(0.7, dataset="dsprites, training images")]
    write_scores(tmp_path, scores)
    assert numbers(tmp_path) == {"mig": expected}
