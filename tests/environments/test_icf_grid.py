import numpy as np
import pytest
from scipy.stats import chisquare

from disent_runner.environments.icf_grid import AGENT, DISTRACTOR, OFF, ON, IcfGrid

RIGHT, LEFT, DOWN, UP, TOGGLE = range(5)


def grids(num: int, **settings: bool) -> tuple[IcfGrid, dict[str, np.ndarray]]:
    world = IcfGrid(**settings)
    return world, dict(world.start(3, np.arange(num), np.zeros(num)))


@pytest.mark.parametrize(
    ("place", "action", "expected"),
    [
        ((4, 6), RIGHT, (5, 6)),
        ((4, 6), LEFT, (3, 6)),
        ((4, 6), DOWN, (4, 7)),
        ((4, 6), UP, (4, 5)),
        ((10, 6), RIGHT, (10, 6)),
        ((0, 6), LEFT, (0, 6)),
        ((4, 10), DOWN, (4, 10)),
        ((4, 0), UP, (4, 0)),
    ],
)
def test_the_agent_moves_by_a_pixel_and_walls_stop_it(place, action, expected):
    world, state = grids(1)
    state["agent"] = np.array([place], np.uint8)
    after, rewards = world.after(state, np.array([action]))
    assert after["agent"].tolist() == [list(expected)]
    assert state["agent"].tolist() == [list(place)]
    assert (rewards.tolist(), after["step"].tolist()) == ([0.0], [1])


def test_the_fifth_action_toggles_the_object_and_moves_nothing():
    world, state = grids(2, toggled_object=True)
    state["is_on"] = np.array([False, True])
    after, _ = world.after(state, np.array([TOGGLE, TOGGLE]))
    assert after["is_on"].tolist() == [True, False]
    np.testing.assert_array_equal(after["agent"], state["agent"])
    np.testing.assert_array_equal(after["object"], state["object"])
    moved, _ = world.after(after, np.array([RIGHT, UP]))
    assert moved["is_on"].tolist() == [True, False]


def test_the_distractor_walks_alike_whatever_is_done_and_evenly():
    world, state = grids(4000, distractor=True)
    state["distractor"] = np.full((4000, 2), 5, np.uint8)
    first, _ = world.after(state, np.full(4000, RIGHT))
    second, _ = world.after(state, np.full(4000, UP))
    np.testing.assert_array_equal(first["distractor"], second["distractor"])
    steps, counts = np.unique(first["distractor"].astype(int) - 5, axis=0, return_counts=True)
    assert steps.tolist() == [[-1, 0], [0, -1], [0, 1], [1, 0]]
    assert chisquare(counts).pvalue > 0.01


def test_places_are_uniform():
    _, state = grids(5000, toggled_object=True, distractor=True)
    for name in ("agent", "object", "distractor"):
        for axis in range(2):
            assert chisquare(np.bincount(state[name][:, axis], minlength=11)).pvalue > 0.001
    assert chisquare(np.bincount(state["is_on"])).pvalue > 0.01


def test_what_is_seen():
    """The agent over the object over the distractor."""
    world, state = grids(1, toggled_object=True, distractor=True)
    places = {"agent": [2, 3], "object": [3, 3], "distractor": [4, 3]}
    state |= {name: np.array([place], np.uint8) for name, place in places.items()}
    for is_on, grey in ((False, OFF), (True, ON)):
        state["is_on"] = np.array([is_on])
        (image,) = world.draw(state)
        assert image.shape == world.image_shape == (12, 12, 1)
        assert image[3, 1:7, 0].tolist() == [0, AGENT, AGENT, grey, DISTRACTOR, 0]
        assert (image[[2, 5]] == 0).all()


def test_factors_have_names_and_sizes():
    world, state = grids(1, toggled_object=True, distractor=True)
    state |= {
        "agent": np.array([[1, 2]], np.uint8),
        "object": np.array([[3, 4]], np.uint8),
        "distractor": np.array([[5, 6]], np.uint8),
    }
    state["is_on"] = np.array([True])
    assert world.factor_values(state).tolist() == [[1, 2, 3, 4, 5, 6, 1]]
    assert list(world.factors) == [
        *("agent_x", "agent_y", "object_x", "object_y", "distractor_x", "distractor_y", "object_on")
    ]
    assert list(world.factors.values()) == [11] * 6 + [2]
    assert IcfGrid().factors == {"agent_x": 11, "agent_y": 11}


def test_what_each_action_leads_to():
    """As one action at a time, with the distractor's step the same for all."""
    world, state = grids(6, toggled_object=True, distractor=True)
    images = world.draw_after_each(state)
    assert images.shape == (6, 5, 12, 12, 1)
    for action in range(5):
        after, _ = world.after(state, np.full(6, action))
        np.testing.assert_array_equal(images[:, action], world.draw(after))
