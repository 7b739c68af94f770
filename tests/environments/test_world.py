"""What both worlds have in common."""

import numpy as np
import pytest

from disent_runner.environments.icf_grid import IcfGrid
from disent_runner.environments.toyarena import ToyArena
from disent_runner.environments.world import World

WORLDS = [IcfGrid(toggled_object=True, distractor=True), ToyArena(domain="all")]


@pytest.fixture(params=WORLDS, ids=lambda world: type(world).__name__)
def world(request) -> World:
    return request.param


def test_a_state_is_of_its_seed_index_and_episode_alone(world):
    many = world.start(5, np.array([7, 2, 2]), np.array([0, 0, 4]))
    alone = world.start(5, np.array([2]), np.array([4]))
    for name, values in alone.items():
        np.testing.assert_array_equal(many[name][2:], values)
    later = world.next_episode(world.start(5, np.array([2]), np.array([3])))
    for name, values in alone.items():
        np.testing.assert_array_equal(later[name], values)


def test_seeds_indices_and_episodes_all_make_a_difference(world):
    index, episode = np.divmod(np.arange(400), 20)
    images = [world.draw(world.start(seed, index, episode)) for seed in (0, 1, 2**40)]
    assert len(np.unique(np.concatenate(images).reshape(1200, -1), axis=0)) > 1190


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_has_64_bits(world, seed):
    with pytest.raises(ValueError, match=f"seed={seed}: expected"):
        world.start(seed, np.arange(1), np.zeros(1))


def test_a_state_that_is_none_of_the_world_is_refused(world):
    state = dict(world.start(0, np.arange(3), np.zeros(3)))
    for wrong, said in (
        (state | {"extra": state["step"]}, "has .* got .*extra"),
        ({name: state[name] for name in state if name != "agent"}, "has .*agent"),
        (state | {"agent": state["agent"][:2]}, "agent of a state of 3 .* is uint8 of shape"),
        (state | {"agent": state["agent"].astype(float)}, "agent .* got float64"),
        (state | {"agent": np.full_like(state["agent"], 200)}, "agent of a state must be below .* got 200"),
    ):
        with pytest.raises(ValueError, match=said):
            world.checked(wrong, 3)
    assert world.checked(state, 3).keys() == state.keys()
