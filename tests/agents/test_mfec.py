"""Tables beside a plain dictionary, neighbours beside scikit-learn's, and corridors that a memory solves."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from disent_runner.agents.learner import Eyes
from disent_runner.agents.mfec import EpisodicControl, Table, mfec
from disent_runner.environments.seen import Seen
from disent_runner.environments.world import World
from disent_runner.networks.random_projection import RandomProjection
from disent_runner.networks.tiny import TinyEncoder


class Corridor(World):
    """The place is the one bright pixel. At its end is 1, to be had once; every step costs a little."""

    actions = ("left", "right")
    image_shape = (1, 8, 1)
    max_steps = 20

    def __init__(self) -> None:
        self.factors = self.bounds = {"place": 8}

    def placed(self, clock: Any) -> Any:
        return {"place": np.zeros(len(clock["step"]), np.int64)}

    def after(self, state: Any, actions: np.ndarray) -> tuple[Any, np.ndarray]:
        place = np.clip(state["place"] + 2 * actions - 1, 0, 7)
        is_there = (place == 7) & (state["place"] < place)
        return {**state, "step": state["step"] + np.uint32(1), "place": place}, is_there - 0.01

    def draw(self, state: Any) -> np.ndarray:
        return (255 * np.eye(8)[state["place"]]).astype(np.uint8)[:, None, :, None]

    def factor_values(self, state: Any) -> np.ndarray:
        return state["place"][:, None]


def by_place(images: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    assert factors is not None
    return factors.astype(np.float32)


def by_pixels(images: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def corridors(num: int, see: Any = by_place) -> Seen:
    from disent_runner.environments.gymnasium_worlds import VectorWorld

    return Seen(VectorWorld(Corridor(), num), see)


SETTINGS: dict[str, Any] = {"k": 2, "capacity": 100, "epsilon": 0.1, "gamma": 0.9, "n_steps": 10}


def learner_of(seen: Seen, eyes: Eyes | None = None, shape: Any = 1, **settings: Any) -> EpisodicControl:
    learner = mfec(seen, eyes, shape, 2, **{**SETTINGS, **settings})
    assert isinstance(learner, EpisodicControl)
    return learner


def table_of(keys: np.ndarray, values: np.ndarray, capacity: int = 10**9) -> Table:
    table = Table(keys.shape[1], capacity)
    for key, value in zip(keys, values, strict=True):
        table.write(key, float(value))
    return table


def test_a_full_table_is_a_dictionary_that_forgets_what_was_written_longest_ago(rng):
    """Equation 1, written out; what is only read is not kept longer."""
    table, plain = Table(2, 20), {}
    for _ in range(2000):
        key, value = rng.integers(0, 6, 2).astype(np.float32), np.float32(rng.normal())
        table.write(key, float(value))
        largest = max(value, plain.pop(tuple(key), value))
        if len(plain) == 20:
            del plain[next(iter(plain))]
        plain[tuple(key)] = largest
        assert len(table) == len(plain)
        known = np.array([*plain], np.float32)
        assert np.array_equal(table.read(known, 3), [*plain.values()])
    assert len(table) == 20


def test_a_table_grows_as_it_is_filled(rng):
    keys, values = rng.normal(size=(3000, 4)).astype(np.float32), rng.normal(size=3000).astype(np.float32)
    table = table_of(keys, values)
    assert len(table) == 3000
    assert np.array_equal(table.read(keys, 5), values)


@pytest.mark.parametrize("k", [1, 11])
def test_what_is_not_there_is_the_mean_of_the_nearest(k, rng):
    """Equation 2, by neighbours of scikit-learn in double precision; far from the origin too."""
    keys, values = (rng.normal(size=(500, 6)) + 10).astype(np.float32), rng.normal(size=500).astype(np.float32)
    asked = (rng.normal(size=(40, 6)) + 10).astype(np.float32)
    nearest = NearestNeighbors(n_neighbors=k).fit(keys.astype(float)).kneighbors(asked.astype(float))[1]
    read = table_of(keys, values).read(asked, k)
    assert np.allclose(read, values.astype(float)[nearest].mean(1), atol=1e-6)


def test_fewer_than_k_are_all_and_none_are_worth_nothing():
    keys = np.array([[0.0], [5.0]], np.float32)
    assert table_of(keys, np.array([1.0, 2.0])).read(np.array([[7.0]], np.float32), 11).tolist() == [1.5]
    assert Table(1, 5).read(keys, 11).tolist() == [0, 0]


def test_returns_are_discounted_from_the_end_of_an_episode_and_written_then():
    """Beside a dictionary that is written by hand, of three corridors whose episodes are cut at 20 steps."""
    seen, plain = corridors(3), {}
    learner, moments = learner_of(seen, n_steps=1, epsilon=0.5), []
    step = seen.step

    def watched(actions: np.ndarray) -> Any:
        moment = step(actions)
        moments.append((learner._now, actions, moment.rewards))
        return moment

    seen.step = watched
    torch.manual_seed(0)
    learner.begin(0)
    for count in range(1, 61):
        told = learner.advance(count)
        if count % 20 == 0:
            for env in range(3):
                value = 0.0
                for now, actions, rewards in reversed(moments):
                    value = rewards[env].item() + 0.9 * value
                    name = (int(now[env, 0]), int(actions[env]))
                    plain[name] = max(value, plain.get(name, value))
            moments.clear()
        assert told["entries"] == len(plain)
    assert len(plain) > 10
    for (place, action), value in plain.items():
        assert learner.tables[action].read(np.array([[place]], np.float32), 2) == pytest.approx(value, abs=1e-6)


def test_chances_are_epsilon_greedy_and_ties_are_shared():
    learner = learner_of(corridors(1), epsilon=0.1)
    places = np.array([[0.0], [1.0]], np.float32)
    assert np.allclose(learner.chances(places), 0.5)
    learner.tables[1].write(places[0], 1.0)
    assert np.allclose(learner.chances(places), [0.05, 0.95])
    learner.tables[0].write(places[1], 1.0)
    learner.tables[0].write(places[0], 2.0)
    assert np.allclose(learner.chances(places), [[0.95, 0.05], [0.5, 0.5]])


def test_actions_are_drawn_by_their_chances():
    """Of 4000 in a corridor where left is best everywhere, 5 % are right, within five standard deviations."""
    seen = corridors(100)
    learner, taken, step = learner_of(seen, n_steps=19), [], seen.step
    for place in range(8):
        learner.tables[0].write(np.array([place], np.float32), 100.0)

    def watched(actions: np.ndarray) -> Any:
        taken.append(actions)
        return step(actions)

    seen.step = watched
    torch.manual_seed(0)
    learner.begin(0)
    learner.advance(0)
    chance, num = 0.05, 1900
    assert np.mean(taken) == pytest.approx(chance, abs=5 * (chance * (1 - chance) / num) ** 0.5)


@pytest.mark.parametrize("sees", ["place", "pixels"])
def test_it_walks_to_the_end_of_a_corridor(sees):
    """Without a single mistake once it has been there, by codes and by a random projection of pixels."""
    torch.manual_seed(0)
    eyes = Eyes(RandomProjection(image_shape=(1, 1, 8), num_outputs=4), 4) if sees == "pixels" else None
    seen = corridors(4, by_pixels if sees == "pixels" else by_place)
    learner = learner_of(seen, eyes, 1 if eyes is None else (1, 1, 8), k=1)
    learner.begin(0)
    for step in range(100):
        learner.advance(step)
    everywhere = {"place": np.arange(7)}
    images, factors = Corridor().draw(everywhere), Corridor().factor_values(everywhere)
    assert learner.chances(seen.see(images, factors)).argmax(1).tolist() == [1] * 7
    assert len(learner.network.state_dict()) == (sees == "pixels")


def test_eyes_that_would_be_trained_are_refused():
    eyes = Eyes(TinyEncoder(image_shape=(1, 32, 32), num_outputs=4), 4)
    with pytest.raises(ValueError, match=r"^model=mfec trains no eyes; choose vision=darla, "):
        learner_of(corridors(1), eyes, (1, 32, 32))


def test_a_state_is_of_as_many_actions():
    learner = learner_of(corridors(1))
    learner.restore({})
    learner.begin(0)
    other = mfec(corridors(1), None, 1, 3, **SETTINGS)
    for state in (learner.state(), {"num_timesteps": 3}):
        with pytest.raises(ValueError, match="not that of model=mfec with 3 actions"):
            other.restore(state)


@pytest.mark.parametrize("capacity", [6, 100])
def test_what_goes_on_from_a_state_equals_what_was_never_interrupted(capacity):
    """In the middle of episodes, with tables that are full and that are not."""
    make = partial(learner_of, capacity=capacity, n_steps=7)
    whole, parts = make(corridors(3)), make(corridors(3))
    torch.manual_seed(0)
    whole.begin(0)
    for step in range(6):
        whole.advance(step)
    parts.restore(whole.state())
    parts.begin(0)
    random = torch.get_rng_state()
    expected = [whole.advance(step) for step in range(9)]
    torch.set_rng_state(random)
    assert [parts.advance(step) for step in range(9)] == expected
    ours, theirs = whole.state(), parts.state()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(torch.as_tensor(ours[name]), torch.as_tensor(theirs[name])) for name in ours)


def test_environments_without_a_state_begin_other_episodes_with_what_was_learned():
    from disent_runner.environments.gymnasium import gymnasium

    def means(images: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
        return images.mean((1, 2), dtype=np.float32)

    def rooms() -> Seen:
        return Seen(gymnasium(2, id="MiniGrid-Empty-5x5-v0", settings={}), means)

    first, second = (mfec(rooms(), None, 3, 7, **{**SETTINGS, "n_steps": 110}) for _ in range(2))
    torch.manual_seed(0)
    first.begin(0)
    entries = first.advance(0)["entries"]
    assert entries > 0
    second.restore(first.state())
    assert second.state()["steps.keys"].shape == (0, 2, 3)
    assert second.advance(1)["entries"] >= entries
