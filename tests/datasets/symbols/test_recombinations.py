import numpy as np
import pytest

from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.symbols.concepts import ANY, Scenes, order, scenes
from disent_runner.datasets.symbols.recombinations import (
    AND,
    IGNORE,
    IN_COMMON,
    OPERATORS,
    Operator,
    draw_recombinations,
)

ROOMS = FactorSpace({"wall": 4, "floor": 4, "object": 4, "identity": 3, "yaw": 5})


@pytest.fixture(scope="module")
def rooms() -> Scenes:
    return scenes(ROOMS, count=60, seed=0)


def sets_of(concepts: np.ndarray) -> list[set[tuple[int, int]]]:
    return [{(factor, value) for factor, value in enumerate(row) if value != ANY} for row in concepts.tolist()]


def test_order_of_the_operators() -> None:
    assert [operator.name for operator in OPERATORS] == ["AND", "IN COMMON", "IGNORE"]
    assert OPERATORS == (AND, IN_COMMON, IGNORE)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_pairs_and_results_are_concepts_that_training_sees(operator: Operator, rooms: Scenes) -> None:
    drawn = draw_recombinations(rooms, operator, count=3000, seed=0)
    for concepts in (drawn.first, drawn.second, drawn.result):
        assert concepts.shape == (3000, 4)
        assert order(concepts).min() >= 1
        assert rooms.are_shown(concepts).all()
    held_out = {tuple(row) for row in rooms.held_out_concepts.tolist()}
    assert held_out.isdisjoint(map(tuple, drawn.result.tolist()))


def test_and(rooms: Scenes) -> None:
    drawn = draw_recombinations(rooms, AND, count=1000, seed=1)
    for first, second, result in zip(*map(sets_of, (drawn.first, drawn.second, drawn.result)), strict=True):
        assert {factor for factor, _ in first}.isdisjoint({factor for factor, _ in second})
        assert result == first | second
    assert set(order(drawn.result).tolist()) == {2, 3, 4}


def test_in_common(rooms: Scenes) -> None:
    drawn = draw_recombinations(rooms, IN_COMMON, count=1000, seed=1)
    for first, second, result in zip(*map(sets_of, (drawn.first, drawn.second, drawn.result)), strict=True):
        assert first != second
        assert result == first & second
    assert set(order(drawn.result).tolist()) == {1, 2, 3}
    differ = (drawn.first != drawn.second) & (drawn.first != ANY) & (drawn.second != ANY)
    assert 0.2 < differ.any(axis=1).mean() < 0.9


def test_ignore(rooms: Scenes) -> None:
    drawn = draw_recombinations(rooms, IGNORE, count=1000, seed=1)
    for first, second, result in zip(*map(sets_of, (drawn.first, drawn.second, drawn.result)), strict=True):
        assert second < first
        assert result == first - second
    assert set(order(drawn.result).tolist()) == {1, 2, 3}


def test_the_seed_decides(rooms: Scenes) -> None:
    one, same, other = (draw_recombinations(rooms, AND, count=50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.first, same.first)
    np.testing.assert_array_equal(one.result, same.result)
    assert (one.first != other.first).any()


def test_roles_and_values_are_uniform() -> None:
    space = FactorSpace({"a": 3, "b": 3, "image": 50})
    drawn = draw_recombinations(scenes(space, factors=["a", "b"], count=1, seed=0), IGNORE, count=9000, seed=0)
    first = drawn.first[:, 0] * 3 + drawn.first[:, 1]  # both factors are named: one is kept, one ignored
    counts = np.bincount(first, minlength=9)
    assert (counts == 0).sum() == 1
    counts = counts[counts > 0]
    assert ((counts - 9000 / 8) ** 2 / (9000 / 8)).sum() < 30  # chi-square of 7 degrees, 1 in 10000
    assert abs((drawn.second[:, 0] == ANY).mean() - 0.5) < 0.025


def test_values_that_differ_need_two_of_them() -> None:
    space = FactorSpace({"a": 1, "b": 5})
    drawn = draw_recombinations(scenes(space, factors=["a", "b"], count=1, seed=0), IN_COMMON, count=500, seed=0)
    both = (drawn.first[:, 0] != ANY) & (drawn.second[:, 0] != ANY)
    assert (drawn.result[both, 0] == 0).all()
    assert (drawn.first != drawn.second).any(axis=1).all()


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_one_factor_is_too_few(operator: Operator) -> None:
    made = scenes(ROOMS, factors=["wall"], count=1, seed=0)
    expected = f"{operator.name} needs concepts of at least two factors, got wall"
    with pytest.raises(ValueError, match=expected):
        draw_recombinations(made, operator, count=1, seed=0)
