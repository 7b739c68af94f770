from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from disent_runner.environments.toyarena import ToyArena, hue_triples
from disent_runner.rendering.arena import AGENT, DISC, FLOOR, STAR, WALL, draw_arena

RIGHT, LEFT, DOWN, UP = range(4)
DOMAINS = [("source", 0), ("target", 0), ("target", 1)]


def triples(domain: str, level: int = 0) -> set[tuple[int, ...]]:
    rows = [tuple(row) for row in hue_triples(domain, level).tolist()]  # pyright: ignore[reportArgumentType]
    assert len(set(rows)) == len(rows)
    return set(rows)


def rooms(num: int, **settings: str) -> tuple[ToyArena, dict[str, np.ndarray]]:
    world = ToyArena(**settings)  # pyright: ignore[reportArgumentType]
    return world, dict(world.start(3, np.arange(num), np.zeros(num)))


def one_room() -> tuple[ToyArena, dict[str, np.ndarray]]:
    """The agent at (2, 1), x before y; a disc right of it, a star below, the others in the last row."""
    world, state = rooms(1)
    state["agent"] = np.array([6 * 1 + 2], np.uint8)
    state["things"] = np.array([[6 * 1 + 3, 30, 31, 6 * 2 + 2, 34, 35]], np.uint8)
    return world, state


def test_domains_share_no_triple_and_all_has_them():
    found = [triples(*domain) for domain in DOMAINS]
    assert [len(each) for each in found] == [16, 48, 64]
    assert sum(map(len, found)) == len(set.union(*found))
    assert triples("all") == set(product(range(8), repeat=3))


def test_what_the_target_has_of_the_source():
    """At level 0 every hue, but no pair of floor and object; at level 1 no hue."""
    source, crossed, other = (np.array(sorted(triples(*domain))) for domain in DOMAINS)
    for part in range(3):
        assert set(source[:, part]) == set(crossed[:, part]) == {0, 2, 4, 6}
        assert set(other[:, part]) == {1, 3, 5, 7}
    pairs = [{(floor, thing) for floor, _, thing in each.tolist()} for each in (source, crossed)]
    assert pairs[0] == {(0, 4), (2, 6), (4, 0), (6, 2)}
    assert not pairs[0] & pairs[1]


@pytest.mark.parametrize("domain", ["all", "source", "target"])
def test_hues_are_uniform_over_the_domain(domain):
    _, state = rooms(20_000, domain=domain)
    seen, counts = np.unique(state["hues"], axis=0, return_counts=True)
    assert {tuple(row) for row in seen.tolist()} == triples(domain)
    assert chisquare(counts).pvalue > 0.01


def test_agent_and_things_are_in_different_cells_each_of_them_everywhere():
    _, state = rooms(20_000)
    cells = np.concatenate([state["agent"][:, None], state["things"]], axis=1)
    assert (np.diff(np.sort(cells, axis=1), axis=1) > 0).all()
    for column in cells.T:
        assert chisquare(np.bincount(column, minlength=36)).pvalue > 0.001


@pytest.mark.parametrize(
    ("place", "action", "expected"),
    [
        ((1, 1), RIGHT, (2, 1)),
        ((1, 1), LEFT, (0, 1)),
        ((1, 1), DOWN, (1, 2)),
        ((1, 1), UP, (1, 0)),
        ((5, 1), RIGHT, (5, 1)),
        ((0, 1), LEFT, (0, 1)),
        ((1, 5), DOWN, (1, 5)),
        ((1, 0), UP, (1, 0)),
    ],
)
def test_the_agent_moves_by_a_cell_and_walls_stop_it(place, action, expected):
    world, state = one_room()
    state["agent"] = np.array([6 * place[1] + place[0]], np.uint8)
    after, _ = world.after(state, np.array([action]))
    assert after["agent"].tolist() == [6 * expected[1] + expected[0]]


def test_a_disc_gives_one_a_star_takes_one_and_both_only_once():
    world, state = one_room()
    returns, left = [], []
    for action in (RIGHT, LEFT, RIGHT, LEFT, DOWN, DOWN, UP):
        state, rewards = world.after(state, np.array([action]))
        returns.append(rewards.item())
        left.append(int(state["left"].sum()))
    assert returns == [1, 0, 0, 0, -1, 0, 0]
    assert left == [5, 5, 5, 5, 4, 4, 4]
    assert state["left"].tolist() == [[False, True, True, False, True, True]]


def test_what_is_seen():
    world, state = one_room()
    state["left"] = np.array([[True, False, True, True, True, True]])
    cells = np.full((8, 8), WALL)
    cells[1:7, 1:7] = FLOOR
    cells[2, 3] = AGENT
    cells[2, 4] = cells[6, 2] = DISC
    cells[3, 3] = cells[6, 5] = cells[6, 6] = STAR
    expected = draw_arena(state["hues"].astype(int), cells.reshape(1, 64), image_size=32)
    np.testing.assert_array_equal(world.draw(state), expected)
    assert ToyArena(image_size=64).image_shape == (64, 64, 3)


def test_factors_have_names_and_sizes():
    world, state = one_room()
    state["hues"] = np.array([[2, 4, 6]], np.uint8)
    state["left"] = np.array([[True, False, True, True, True, True]])
    values = dict(zip(world.factors, world.factor_values(state)[0].tolist(), strict=True))
    assert {name: values[name] for name in ("floor_hue", "wall_hue", "object_hue", "agent_x", "agent_y")} == {
        "floor_hue": 2,
        "wall_hue": 4,
        "object_hue": 6,
        "agent_x": 2,
        "agent_y": 1,
    }
    assert [values[name] for name in ("good_0_x", "good_0_y", "bad_0_x", "bad_0_y", "bad_2_x", "bad_2_y")] == [
        *(3, 1, 2, 2, 5, 5)
    ]
    assert [values[name] for name in ("good_0_left", "good_1_left", "bad_2_left")] == [1, 0, 1]
    sizes = np.array(list(world.factors.values()))
    _, many = rooms(500, domain="all")
    assert (world.factor_values(many) < sizes).all()
    assert (world.factor_values(many).max(axis=0)[:17] == sizes[:17] - 1).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"domain": "sources"}, "domain=sources, ood_level=0: expected domain all, source or target"),
        ({"domain": "target", "ood_level": 2}, "domain=target, ood_level=2: expected .* ood_level 0 or 1"),
        ({"domain": "source", "ood_level": 1}, "ood_level=1 is of domain=target alone, got domain=source"),
        ({"image_size": 36}, "image_size=36: expected 32 or 64"),
    ],
)
def test_settings_that_are_none(settings, said):
    with pytest.raises(ValueError, match=said):
        ToyArena(**settings)


def test_large_things_have_nine_places_and_are_touched_where_they_are():
    world = ToyArena(num_good=1, num_bad=2, thing_size=2, max_steps=9)
    state = dict(world.start(0, np.arange(2000), np.zeros(2000)))
    taken = np.concatenate([state["agent"][:, None], state["things"]], axis=1)
    assert all(len(set(row)) == 4 for row in taken.tolist())
    assert set(taken.ravel().tolist()) == set(range(9))
    assert world.factors["agent_x"] == 3
    state = {name: values[:1] for name, values in state.items()}
    state |= {"agent": np.array([0], np.uint8), "things": np.array([[1, 3, 8]], np.uint8)}
    image = world.draw(state)[0]
    assert (image[4:12, 4:12] == 255).all(axis=2).sum() == 48  # the agent's white ring, in the upper left corner
    after, rewards = world.after(state, np.array([RIGHT]))
    assert (rewards.tolist(), after["left"].tolist(), after["agent"].tolist()) == ([1], [[False, True, True]], [1])
    _, rewards = world.after(state, np.array([DOWN]))
    assert rewards.tolist() == [-1]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"thing_size": 3}, r"^thing_size=3: expected 1 or 2$"),
        ({"num_good": 5, "num_bad": 4}, r"^num_good=5, num_bad=4: expected 1 to 8 things$"),
        ({"num_good": 0, "num_bad": 0}, r"expected 1 to 8 things$"),
    ],
)
def test_other_things_are_refused(settings, line):
    with pytest.raises(ValueError, match=line):
        ToyArena(**settings)
