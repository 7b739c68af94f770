import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode

from disent_runner.environments.gymnasium_worlds import SingleWorld, VectorWorld
from disent_runner.environments.icf_grid import IcfGrid
from disent_runner.environments.toyarena import ToyArena
from disent_runner.environments.world import World

WORLDS = [IcfGrid(toggled_object=True, distractor=True, max_steps=5), ToyArena(domain="all", max_steps=5)]


@pytest.fixture(params=WORLDS, ids=lambda world: type(world).__name__)
def world(request) -> World:
    return request.param


def actions(num_steps: int, num_envs: int) -> np.ndarray:
    return np.random.default_rng(0).integers(4, size=(num_steps, num_envs))


def test_an_episode_ends_after_max_steps_and_the_next_begins_in_the_same_step(world):
    many = VectorWorld(world, 3)
    many.reset(seed=1)
    for step, action in enumerate(actions(10, 3), start=1):
        before = many.state()
        images, _, terminated, truncated, info = many.step(action)
        assert not terminated.any()
        assert truncated.tolist() == [step % 5 == 0] * 3
        assert ("final_obs" in info) == (step % 5 == 0)
        np.testing.assert_array_equal(images, world.draw(many.state()))
        np.testing.assert_array_equal(info["factors"], world.factor_values(many.state()))
        if step % 5 == 0:
            last, _ = world.after(before, action)
            np.testing.assert_array_equal(np.stack(info["final_obs"]), world.draw(last))
            np.testing.assert_array_equal(info["final_info"]["factors"], world.factor_values(last))
            first = world.start(1, np.arange(3), np.full(3, step // 5))
            np.testing.assert_array_equal(images, world.draw(first))
            assert many.state()["step"].tolist() == [0, 0, 0]
    assert many.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_only_those_at_their_end_begin_anew(world):
    many = VectorWorld(world, 3)
    many.reset(seed=1)
    state = many.state()
    state["step"][1] = 4
    many.restore(state)
    images, _, _, truncated, info = many.step(np.zeros(3, int))
    assert truncated.tolist() == info["_final_obs"].tolist() == info["_final_info"].tolist() == [False, True, False]
    assert info["final_obs"][0] is None
    assert info["final_obs"][2] is None
    assert many.state()["episode"].tolist() == [0, 1, 0]
    assert many.state()["step"].tolist() == [1, 0, 1]
    np.testing.assert_array_equal(images, world.draw(many.state()))


def test_one_is_the_first_of_many_and_the_next_episode_waits_for_a_reset(world):
    one, many = SingleWorld(world), VectorWorld(world, 4)
    image, info = one.reset(seed=9)
    images, infos = many.reset(seed=9)
    for action in actions(12, 4):
        np.testing.assert_array_equal(image, images[0])
        np.testing.assert_array_equal(info["factors"], infos["factors"][0])
        image, reward, terminated, truncated, info = one.step(action[0])
        images, rewards, _, over, infos = many.step(action)
        assert (reward, terminated, truncated) == (rewards[0], False, over[0])
        if truncated:
            np.testing.assert_array_equal(image, infos["final_obs"][0])
            image, info = one.reset()


def test_what_was_kept_goes_on_as_if_nothing_had_been(world, tmp_path):
    undisturbed = VectorWorld(world, 3)
    undisturbed.reset(seed=4)
    script = actions(13, 3)
    for action in script[:3]:
        undisturbed.step(action)
    np.savez(tmp_path / "state.npz", **undisturbed.state())  # pyright: ignore[reportArgumentType]
    seen = [undisturbed.step(action) for action in script[3:]]
    resumed = VectorWorld(world, 3)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as kept:
        images, info = resumed.restore(dict(kept))
    np.testing.assert_array_equal(images, world.draw(resumed.state()))
    np.testing.assert_array_equal(info["factors"], world.factor_values(resumed.state()))
    for (image, reward, _, over, info), action in zip(seen, script[3:], strict=True):
        again = resumed.step(action)
        for first, second in zip((image, reward, over), (again[0], again[1], again[3]), strict=True):
            np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(info["factors"], again[4]["factors"])
    alone = SingleWorld(world)
    alone.reset(seed=4)
    alone.step(script[0, 0])
    kept = alone.state()
    expected = alone.step(script[1, 0])[0]
    np.testing.assert_array_equal(alone.restore(kept)[0], SingleWorld(world).restore(kept)[0])
    np.testing.assert_array_equal(alone.step(script[1, 0])[0], expected)


def test_a_reset_without_a_seed_is_the_next_episode_and_at_first_a_random_one(world):
    many = VectorWorld(world, 2)
    many.reset(seed=3)
    many.step(np.zeros(2, int))
    images, _ = many.reset()
    np.testing.assert_array_equal(images, world.draw(world.start(3, np.arange(2), np.ones(2))))
    first, second = VectorWorld(world, 2), VectorWorld(world, 2)
    first.reset()
    second.reset()
    assert first.state()["seed"][0] != second.state()["seed"][0]


def test_frames_are_the_observations_in_colour(world):
    many, one = VectorWorld(world, 2, "rgb_array"), SingleWorld(world, "rgb_array")
    images, _ = many.reset(seed=0)
    image, _ = one.reset(seed=0)
    frames, frame = many.render(), one.render()
    assert frames is not None
    assert frame is not None
    for shown, seen in zip((*frames, frame), (*images, image), strict=True):
        np.testing.assert_array_equal(shown, np.broadcast_to(seen, (*seen.shape[:2], 3)))
    assert VectorWorld(world, 2).render() is SingleWorld(world).render() is None


def test_spaces_hold_what_is_given(world):
    many = VectorWorld(world, 3)
    images, _ = many.reset(seed=0)
    assert images in many.observation_space
    assert many.action_space.shape == (3,)
    assert many.single_action_space == Discrete(len(world.actions))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros(2, int), "expected 3 whole numbers, got int64 of shape"),
        (np.zeros(3), "expected 3 whole numbers, got float64"),
        (np.array([0, -1, 0]), r"actions are 0 to \d, got -1 to 0"),
        (np.array([0, 9, 0]), r"actions are 0 to \d, got 0 to 9"),
    ],
)
def test_actions_that_are_none(world, wrong, said):
    many = VectorWorld(world, 3)
    many.reset(seed=0)
    with pytest.raises(ValueError, match=said):
        many.step(wrong)


def test_nothing_before_a_reset(world):
    for act in (lambda: VectorWorld(world, 1).step(np.zeros(1, int)), SingleWorld(world).state):
        with pytest.raises(ResetNeeded):
            act()
    one = SingleWorld(world)
    one.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions are 0 to \d, got 7"):
        one.step(np.int64(7))
