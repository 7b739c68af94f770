import itertools

import pytest

from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described
from tests.report.folders import write_run

MODELS = ("betavae", "vae", "factorvae")


def labelled(tmp_path, *runs: dict) -> list[tuple[str, dict]]:
    """Label and settings of runs written so."""
    for place, facts in enumerate(runs):
        write_run(tmp_path / f"{place:03}", **facts)
    return [(run.label, run.settings or {}) for run in described(read_runs([tmp_path])[0])]


def test_what_is_the_same_in_all_runs_is_no_setting(tmp_path):
    assert labelled(tmp_path, {"seed": 0}, {"seed": 1}) == [("betavae", {})] * 2


def test_settings_that_differ_are_named_as_they_are_typed(tmp_path):
    first, second = labelled(tmp_path, {"beta": 1}, {"beta": 4.0, "settings": {"optimizer.lr": 5e-4}})
    assert first == ("betavae β=1 lr=0.0001", {"model.beta": 1.0, "optimizer.lr": 1e-4})
    assert second == ("betavae β=4 lr=0.0005", {"model.beta": 4.0, "optimizer.lr": 5e-4})


def test_a_key_of_the_model_is_not_taken_for_one_that_is_not_there(tmp_path):
    """`hidden: null` of one model has the value of a key `hidden` that no config has."""
    _, second = labelled(tmp_path, {}, {"settings": {"model.hidden": None}})
    assert second == ("betavae hidden=null", {"model.hidden": None})


def test_a_whole_number_and_its_decimal_are_one_setting(tmp_path):
    assert labelled(tmp_path, {"beta": 4}, {"beta": 4.0})[0][1] == {}


def test_a_setting_that_only_some_runs_of_a_model_have_differs(tmp_path):
    first, second = labelled(tmp_path, {}, {"settings": {"dataset.subset.scale": 2}})
    assert first == ("betavae subset=null", {"dataset.subset": None})
    assert second == ("betavae scale=2", {"dataset.subset.scale": 2.0})


def test_what_another_model_has_under_the_same_key_differs_and_goes_without_saying(tmp_path):
    first, second = labelled(tmp_path, {"model": "factorvae"}, {"model": "annealedvae"})
    assert (first[1]["model.gamma"], second[1]["model.gamma"]) == (35.0, 1000.0)
    assert (first[0], second[0]) == ("factorvae", "annealedvae")


def test_classes_are_shown_by_their_names(tmp_path):
    networks = ("tiny.TinyEncoder", "conv.ConvEncoder")
    first, _ = labelled(
        tmp_path, *({"settings": {"network.encoder._target_": f"disent_runner.networks.{name}"}} for name in networks)
    )
    assert first == ("betavae encoder=TinyEncoder", {"network.encoder": "TinyEncoder"})


def test_where_the_data_lie_is_no_setting(tmp_path):
    places = [{"settings": {"data_dir": folder, "dataset.check_hash": folder == "/a"}} for folder in ("/a", "/b")]
    assert labelled(tmp_path, *places)[0][1] == {}


@pytest.mark.slow
def test_names_of_data_sets_and_models_tell_all_that_follows_from_them(tmp_path):
    """Cards and their arguments, the sizes of images, classes of models, keys of one model alone."""
    data_sets = {
        "dsprites": {},
        "toyfaces": {},
        "mnist": {"settings": {"dataset.subset.digit": 3}},
        "custom": {"settings": {"dataset.path": "/x/mine.npz"}, "data": {"name": "mine", "source": "file"}},
    }
    pairs = [
        *(("dsprites", model) for model in MODELS),
        *itertools.product(("toyfaces", "mnist", "custom"), MODELS[:2]),
    ]
    runs = [{"dataset": name, "model": model, **data_sets[name]} for name, model in pairs]
    labels = [f"{'mine' if name == 'custom' else name}: {model}" for name, model in pairs]
    assert labelled(tmp_path, *runs) == [(label, {}) for label in labels]


def test_arguments_of_a_card_are_told_where_runs_of_its_data_set_differ_in_them(tmp_path):
    parts = [
        {"dataset": name, "settings": {"dataset.part": part}} for name, part in (("mnist", "train"), ("mnist", "all"))
    ]
    instances = [
        {"dataset": "smallnorb", "settings": {"dataset.card.instance": name}} for name in ("nuisance", "factor")
    ]
    assert labelled(tmp_path, *parts, *instances, {"dataset": "svhn"}) == [
        ("mnist: betavae part=train", {"dataset.part": "train"}),
        ("mnist: betavae part=all", {"dataset.part": "all"}),
        ("smallnorb: betavae instance=nuisance", {"dataset.card.instance": "nuisance"}),
        ("smallnorb: betavae instance=factor", {"dataset.card.instance": "factor"}),
        ("svhn: betavae", {}),
    ]


def test_two_files_of_one_name_are_told_apart(tmp_path):
    files = [
        {"dataset": "custom", "settings": {"dataset.content": content}, "data": {"name": "mine"}}
        for content in ("c0ffee", "decade")
    ]
    assert labelled(tmp_path, *files)[0] == ("betavae content=c0ffee", {"dataset.content": "c0ffee"})


def test_batches_are_compared_among_all_data_sets(tmp_path):
    runs = [
        {"dataset": name, "settings": {"dataset.batch_size": size}} for name, size in (("dsprites", 64), ("blob", 32))
    ]
    assert [label for label, _ in labelled(tmp_path, *runs)] == [
        "dsprites: betavae batch_size=64",
        "blob: betavae batch_size=32",
    ]
