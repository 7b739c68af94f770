"""Returns and lengths beside those that are counted by hand, and observations as the environments give them."""

import numpy as np
import pytest

from disent_runner.environments.gymnasium import gymnasium
from disent_runner.environments.icf_grid import icf_grid
from disent_runner.environments.seen import Seen, play
from disent_runner.environments.toyarena import toyarena


def means(images: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    return images.mean((1, 2), dtype=np.float32)


def steps(seen: Seen, script: np.ndarray) -> list[np.ndarray]:
    return [np.concatenate([moment.seen.ravel(), moment.rewards]) for moment in map(seen.step, script)]


def test_returns_are_sums_of_rewards_and_observations_those_of_the_environments():
    seen, plain = Seen(toyarena(3, max_steps=5), means), toyarena(3, max_steps=5)
    rng, totals, expected = np.random.default_rng(0), np.zeros(3), []
    assert np.array_equal(seen.reset(7), means(plain.reset(seed=7)[0], None))
    for step in range(12):
        actions = rng.integers(4, size=3)
        images, rewards, _, is_cut, info = plain.step(actions)
        moment = seen.step(actions)
        totals += rewards
        assert np.array_equal(moment.seen, means(images, None))
        assert np.array_equal(moment.rewards, rewards)
        assert moment.is_over.all() == moment.is_cut.all() == (step % 5 == 4)
        assert len(moment.last) == 3 * is_cut.all()
        if is_cut.all():
            assert np.array_equal(moment.last, means(np.stack(list(info["final_obs"])), None))
            expected += [(total, 5) for total in totals]
            totals[:] = 0
    assert seen.take_finished() == expected
    assert seen.take_finished() == []


def test_what_goes_on_from_a_state_equals_what_was_never_interrupted():
    script = np.random.default_rng(0).integers(4, size=(50, 2))
    whole, first, second = (Seen(toyarena(2), means) for _ in range(3))
    whole.reset(3)
    first.reset(3)
    expected = steps(whole, script)
    steps(first, script[:17])
    second.restore(first.state())
    assert np.array_equal(steps(second, script[17:]), expected[17:])
    assert second.take_finished() == whole.take_finished()


def test_environments_of_others_have_no_state():
    seen = Seen(gymnasium(2, id="MiniGrid-Empty-5x5-v0", settings={}), means)
    seen.reset(0)
    assert seen.state() == {}
    with pytest.raises(ValueError, match="cannot go on from a state"):
        seen.restore({})


def test_episodes_are_the_first_of_each_and_frames_stay_as_they_ended():
    def right(seen: np.ndarray) -> np.ndarray:
        return np.zeros(len(seen), int)

    played = play(icf_grid(2, max_steps=4), means, right, seed=5, keep_frames=True)
    assert played.returns.tolist() == [0, 0]
    assert played.lengths.tolist() == [4, 4]
    assert len(played.frames) == 5
    again = icf_grid(2, max_steps=5)
    expected = [again.reset(seed=5)[0], *(again.step(np.zeros(2, int))[0] for _ in range(4))]
    assert np.array_equal(played.frames, expected)


def test_an_episode_that_is_over_counts_no_further_rewards():
    """Rooms of three steps beside those of others that end when the goal is reached."""
    moves = iter([2, 2, 1, 2, 2] + [0] * 200)  # to the corner; the other one turns for ever

    def choose(seen: np.ndarray) -> np.ndarray:
        return np.array([next(moves), 0])

    many = gymnasium(2, id="MiniGrid-Empty-5x5-v0", settings={})
    played = play(many, means, choose, seed=0, keep_frames=True)
    assert played.lengths.tolist() == [5, 100]
    assert played.returns[0] == pytest.approx(1 - 0.9 * 5 / 100)
    assert played.returns[1] == 0
    assert np.array_equal(played.frames[5][0], played.frames[-1][0])
