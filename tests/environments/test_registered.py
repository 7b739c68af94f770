"""Gymnasium's and Stable-Baselines3's own checks, in which a warning is an error as everywhere in these tests."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_for_sb3

from disent_runner.environments.gymnasium_worlds import VectorWorld
from disent_runner.environments.registered import register

GRID, ARENA = "disent_runner/IcfGrid-v0", "disent_runner/ToyArena-v0"
LARGE = [
    (GRID, {"scale": 3}),
    (GRID, {"scale": 4, "toggled_object": True, "distractor": True}),
    (ARENA, {"image_size": 64}),
    (ARENA, {"image_size": 64, "domain": "target", "ood_level": 1}),
]
SMALL = [(GRID, {}), (GRID, {"toggled_object": True, "distractor": True}), (ARENA, {}), (ARENA, {"domain": "all"})]


@pytest.fixture(autouse=True)
def _registered():
    register()
    register()


@pytest.mark.parametrize(("id", "settings"), LARGE + SMALL)
def test_gymnasium_finds_nothing(id, settings):
    check_env(gymnasium.make(id, **settings).unwrapped)


@pytest.mark.parametrize(("id", "settings"), LARGE)
def test_stable_baselines_finds_nothing(id, settings):
    check_for_sb3(gymnasium.make(id, **settings), skip_render_check=False)
    check_for_sb3(gymnasium.make(id, render_mode="rgb_array", **settings), skip_render_check=False)


@pytest.mark.parametrize(("id", "settings"), SMALL)
def test_stable_baselines_finds_small_images_small(id, settings):
    """Its default network for images takes no fewer than 36 pixels; that is all it says of fewer."""
    with pytest.warns(UserWarning, match="minimal resolution for an image is 36x36") as said:
        check_for_sb3(gymnasium.make(id, **settings))
    assert len(said) == 1


@pytest.mark.parametrize("id", [GRID, ARENA])
def test_many_are_one_environment_and_one_is_its_first(id):
    many, one = gymnasium.make_vec(id, num_envs=3, max_steps=7), gymnasium.make(id, max_steps=7)
    assert isinstance(many.unwrapped, VectorWorld)
    images, _ = many.reset(seed=5)
    image, _ = one.reset(seed=5)
    np.testing.assert_array_equal(images[0], image)
    over = [many.step(np.zeros(3, int))[3].all() for _ in range(7)]
    assert over == [False] * 6 + [True]
