import pytest

from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described, shown, symbols
from tests.report.folders import write_run


def labels(tmp_path, *configs: dict) -> list[tuple[str, dict]]:
    for place, settings in enumerate(configs):
        write_run(tmp_path / f"{place:03}", **settings)
    return [(run.label, run.settings or {}) for run in described(read_runs([tmp_path])[0])]


def test_what_is_the_same_in_all_runs_is_no_setting(tmp_path):
    assert labels(tmp_path, {"seed": 0}, {"seed": 1}) == [("betavae", {})] * 2


def test_settings_that_differ_are_named_as_they_are_typed(tmp_path):
    first, second = labels(tmp_path, {"beta": 1}, {"beta": 4.0, "optimizer": {"lr": 5e-4}})
    assert first == ("betavae β=1 lr=0.0001", {"model.beta": 1.0, "optimizer.lr": 1e-4})
    assert second == ("betavae β=4 lr=0.0005", {"model.beta": 4.0, "optimizer.lr": 5e-4})


def test_a_whole_number_and_its_decimal_are_one_setting(tmp_path):
    assert labels(tmp_path, {"beta": 4}, {"beta": 4.0})[0][1] == {}


def test_a_setting_that_only_some_runs_of_a_model_have_differs(tmp_path):
    first, second = labels(tmp_path, {}, {"dataset": {"subset": {"scale": 2}}})
    assert first[1] == {}
    assert second == ("betavae scale=2", {"dataset.subset.scale": 2.0})


def test_settings_of_one_model_alone_do_not_differ(tmp_path):
    assert labels(tmp_path, {"model": "factorvae", "gamma": 35.0}, {}) == [("factorvae", {}), ("betavae", {})]


def test_what_another_model_has_under_the_same_key_differs(tmp_path):
    first, second = labels(tmp_path, {"model": "factorvae", "gamma": 35.0}, {"model": "annealedvae", "gamma": 1000})
    assert (first[0], second[0]) == ("factorvae γ=35", "annealedvae γ=1000")


def test_classes_are_shown_by_their_names(tmp_path):
    encoders = [{"encoder": {"_target_": f"disent_runner.networks.x.{name}"}} for name in ("Tiny", "Conv")]
    assert labels(tmp_path, *encoders)[0] == ("betavae encoder=Tiny", {"model.encoder": "Tiny"})


def test_where_the_data_lie_is_no_setting(tmp_path):
    loads = [{"dataset": {"load": {"data_dir": folder}, "data_dir": folder}} for folder in ("/a", "/b")]
    assert labels(tmp_path, *loads)[0][1] == {}


def test_data_sets_are_told_apart(tmp_path):
    first, second = labels(tmp_path, {}, {"facts": {"data_name": "shapes3d"}})
    assert (first[0], second[0]) == ("dsprites: betavae", "shapes3d: betavae")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.0, "4"),
        (0.0001, "0.0001"),
        (5e-10, "5e-10"),
        (1e12, "1e+12"),
        (True, "true"),
        (None, "null"),
        ("a", "a"),
        (3, "3"),
    ],
)
def test_values_are_shown_as_they_are_typed(value, text):
    assert shown(value) == text


def test_keys_with_the_same_end_are_shown_whole():
    assert symbols(["a.lr", "b.lr", "model.beta"]) == {"a.lr": "a.lr", "b.lr": "b.lr", "model.beta": "β"}
