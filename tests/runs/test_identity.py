import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from disent_runner.runs.identity import codes_folder, owner_of, request_of, run_id, setting, settings_of


def config(**changes):
    base = {
        "model": {"_target_": "m", "beta": 4, "optimizer": "${optimizer}"},
        "optimizer": {"lr": 1e-3},
        "dataset": {"batch_size": 64, "check_hash": True},
        "trainer": {"max_steps": 10, "precision": "32-true", "log_every": 5},
        "seed": 0,
        "output_root": "outputs",
    }
    tree = OmegaConf.create(base)
    for key, value in changes.items():
        OmegaConf.update(tree, key.replace("__", "."), value)
    return tree


@pytest.mark.parametrize(
    "changes",
    [
        {"model__beta": 4.0},
        {"dataset__check_hash": False},
        {"trainer__log_every": 1},
        {"output_root": "elsewhere"},
        {"seed": 3},
    ],
)
def test_what_does_not_change_the_numbers_keeps_the_id(changes):
    assert run_id(config(**changes)) == run_id(config())


@pytest.mark.parametrize(
    "changes",
    [
        {"model__beta": 4.5},
        {"optimizer__lr": 1e-4},
        {"dataset__batch_size": 32},
        {"trainer__max_steps": 11},
        {"trainer__precision": "bf16-mixed"},
    ],
)
def test_what_changes_the_numbers_changes_the_id(changes):
    assert run_id(config(**changes)) != run_id(config())


def test_keys_that_came_later_change_nothing_until_they_are_set(composed):
    """Runs of earlier versions lack them."""
    new = composed("dataset=custom", "dataset.path=mine.npz", "model=betavae")
    old = copy.deepcopy(new)
    OmegaConf.set_struct(old, False)
    for node in (old, old.dataset, old.dataset.card):
        for key in ("continuous", "discrete"):
            del node[key]
    assert run_id(new) == run_id(old)
    assert request_of(new) == request_of(old)
    as_dict = [OmegaConf.to_container(tree, resolve=True) for tree in (new, old)]
    assert settings_of(as_dict[0]) == settings_of(as_dict[1])  # pyright: ignore[reportArgumentType]
    said = composed("dataset=custom", "dataset.path=mine.npz", "model=betavae", "dataset.continuous=[year]")
    assert run_id(said) != run_id(new)
    assert request_of(composed("continuous=[year]")) != request_of(composed())


def test_codes_whose_labels_are_said_to_be_others_have_a_folder_of_their_own(tmp_path):
    path = tmp_path / "codes.npz"
    path.write_bytes(b"codes")
    plain, said = ({"continuous": names, "discrete": None} for names in (None, ["year"]))
    assert codes_folder(path, plain) == codes_folder(path, {}) == codes_folder(path, {"continuous": []})
    assert codes_folder(path, said) != codes_folder(path, plain)
    assert codes_folder(path, {"discrete": ["year"]}) != codes_folder(path, said)
    assert settings_of({"representation": "codes.npz", **said}) != settings_of({"representation": "codes.npz", **plain})


def test_an_option_that_is_off_is_as_if_it_were_not_there():
    for key in ("model__free_bits", "optimizer__schedule"):
        assert run_id(config(**{key: None})) == run_id(config())
    assert run_id(config(model__free_bits=0)) != run_id(config())
    assert run_id(config(model__continuous=0)) != run_id(config()), "a GAN without continuous codes"
    assert run_id(config(model__odds=None)) != run_id(config()), "older than the rule"
    tree: Any = OmegaConf.to_container(config(model__free_bits=None, model__odds=None), resolve=True)
    before: Any = OmegaConf.to_container(config(), resolve=True)
    assert settings_of(tree) == {**settings_of(before), "model.odds": None}


@pytest.mark.parametrize("model", ["factorvae", "dipvae", "adagvae", "infogan", "capacity_generator"])
def test_a_config_of_before_an_option_is_the_same_run(model, composed):
    """Its id and its request, and all options that are off are of that kind."""
    now, before = composed(f"model={model}"), composed(f"model={model}")
    OmegaConf.set_struct(before, False)
    off = [key for key, value in before.model.items() if value is None and key not in ("num_changed", "posterior_lr")]
    assert {"gradient_clip", "schedule", "warmup"} <= set(off)
    for key in off:
        del before.model[key]
    assert (run_id(before), request_of(before)) == (run_id(now), request_of(now))


def test_a_true_switch_is_not_the_number_one():
    assert run_id(config(model__normalized=True)) != run_id(config(model__normalized=1))


def test_a_request_is_what_changes_a_run_and_not_where_it_goes(composed):
    request = request_of(composed("model=betavae"))
    assert request_of(composed("model=betavae", "output_root=elsewhere", "logger=tensorboard")) == request
    for other in ("model.beta=5", "seed=1", "metric.mig.num_bins=7", "figure=[samples]", "evaluation.num_images=400"):
        assert request_of(composed("model=betavae", other)) != request


def test_settings_are_what_the_id_is_made_of_one_by_one():
    tree: Any = OmegaConf.to_container(config(model__betas=[0.9, 1], model__beta=3), resolve=True)
    assert settings_of(tree) == {
        "model._target_": "m",
        "model.beta": 3.0,
        "model.optimizer.lr": 1e-3,
        "model.betas": "[0.9, 1]",
        "dataset.batch_size": 64.0,
        "trainer.max_steps": 10.0,
        "trainer.precision": "32-true",
    }


def test_a_setting_is_found_by_its_dotted_key():
    assert setting({"a": {"b": 3}}, "a.b") == 3
    assert setting({"a": 3}, "a.b") is None
    assert setting({}, "a") is None


def of_file(**changes):
    """The config of a run on a user's file."""
    card = {"_target_": "c", "path": "mine.npz", "content": "c0", "labels": "l0"}
    known = {"path": "mine.npz", "content": "c0", "labels": "l0", "split": None, "joint": None, "subset": None}
    tree = config(dataset__card=card, **{f"dataset__{key}": value for key, value in known.items()})
    for key, value in changes.items():
        for node in (tree.dataset, tree.dataset.card):
            if key in node:
                node[key] = value
    return tree


def test_a_users_file_is_known_by_its_images_and_not_by_its_place():
    assert run_id(of_file(path="/far/mine.npz")) == run_id(of_file())
    assert request_of(of_file(path="/far/mine.npz")) == request_of(of_file())
    assert run_id(of_file(content="c1")) != run_id(of_file())
    plain: Any = OmegaConf.to_container(of_file())
    assert "dataset.path" not in settings_of(plain)
    unknown = config(dataset__card={"_target_": "c", "path": "mine.npz"})
    assert run_id(unknown) != run_id(config(dataset__card={"_target_": "c", "path": "other.npz"}))


@pytest.mark.parametrize("choice", ["split", "joint", "subset"])
def test_labels_are_what_is_asked_and_of_a_run_where_they_choose_its_images(choice):
    assert request_of(of_file(labels="l1")) != request_of(of_file())
    assert run_id(of_file(labels="l1")) == run_id(of_file())
    chosen = {choice: {"row": 3}}
    assert run_id(of_file(labels="l1", **chosen)) != run_id(of_file(**chosen))


def test_another_spelling_of_a_path_asks_for_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("codes.npz").write_bytes(b"codes")
    for key, path in (("representation", "codes.npz"), ("run", "out/seed=0"), ("run", "out/checkpoints/step=5.pt")):
        near, far = (
            config(**{"representation": "mean", "run": None, key: place}) for place in (path, f"{tmp_path}/{path}")
        )
        assert request_of(near) == request_of(far)
        assert owner_of(near) == owner_of(far)
    Path("other.npz").write_bytes(b"others")
    assert request_of(config(representation="codes.npz")) != request_of(config(representation="other.npz"))
    assert request_of(config(run="out/checkpoints/step=5.pt")) != request_of(config(run="out/checkpoints/step=6.pt"))
