"""Every choice of `environment`: its file, its function and its world say the same, and many of it act alike."""

import inspect
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from disent_runner.assembly.conf import CONF, choices
from disent_runner.assembly.declared import signature_of
from disent_runner.assembly.kinds import mistake
from disent_runner.environments.icf_grid import IcfGrid
from disent_runner.environments.toyarena import ToyArena

OF_THE_CALLER = {"num_envs", "render_mode"}


def settings_of(choice: str) -> dict[str, Any]:
    settings: Any = OmegaConf.to_container(OmegaConf.load(CONF / "environment" / f"{choice}.yaml"))
    assert settings.pop("_partial_")
    assert settings.pop("defaults") == [{"override /dataset@_global_.dataset": "observations"}, "_self_"]
    return settings


@pytest.mark.parametrize("choice", choices("environment"))
def test_every_setting_stands_in_the_yaml_and_has_a_kind(choice):
    settings = settings_of(choice)
    signature = signature_of(settings.pop("_target_"))
    assert signature is not None
    assert settings.keys() == signature.types.keys() - OF_THE_CALLER
    assert Any not in [signature.types[key] for key in settings]
    for key, value in settings.items():
        assert value == "???" or mistake(key, value, signature.types[key]) is None


@pytest.mark.parametrize(("choice", "world"), [("icf_grid", IcfGrid), ("toyarena", ToyArena)])
def test_defaults_are_the_same_everywhere(choice, world):
    settings = settings_of(choice)
    module, _, name = settings.pop("_target_").rpartition(".")
    for callable_ in (getattr(import_module(module), name), world):
        keywords = inspect.signature(callable_).parameters.items()
        assert {key: one.default for key, one in keywords if key not in OF_THE_CALLER} == settings


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("domain", "sources", "environment.domain=sources: expected all, source or target"),
        ("ood_level", 2, "environment.ood_level=2: expected 0 or 1"),
        ("image_size", 36, "environment.image_size=36: expected 32 or 64"),
        ("max_steps", 0, "environment.max_steps=0: expected a whole number of at least 1"),
    ],
)
def test_settings_are_held_against_their_kinds(key, value, said):
    signature = signature_of("disent_runner.environments.toyarena.toyarena")
    assert signature is not None
    assert mistake(f"environment.{key}", value, signature.types[key]) == said


@pytest.mark.parametrize("choice", choices("environment"))
def test_what_a_file_names_acts(choice):
    config = OmegaConf.create({**settings_of(choice), "_partial_": True})
    if choice == "gymnasium":
        config.id = "MiniGrid-Empty-5x5-v0"
    many = instantiate(config)(2)
    images, _ = many.reset(seed=0)
    assert (images.dtype, images.shape) == (np.uint8, many.observation_space.shape)
    assert images.ndim == 4
    images, rewards, *_ = many.step(np.array([0, 1]))
    assert (images.dtype, rewards.shape) == (np.uint8, (2,))
    many.close()
