import numpy as np
import pytest

from disent_runner.datasets.symbols.concepts import order
from disent_runner.datasets.symbols.recombinations import OPERATORS
from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.metrics.estimators.concept_draws import draw_pairs, draw_untaught
from disent_runner.representations.symbols import Symbols

SIZES = {"wall": 4, "floor": 4, "identity": 3, "flag": 1}


def taught(sizes: dict[str, int], train: list, unseen: list) -> Symbols:
    nothing = np.empty((0, len(sizes)), np.int64)

    def never(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    return Symbols(
        vocabulary=Vocabulary(sizes),
        factors=tuple(sizes),
        train=np.array(train) if train else nothing,
        unseen=np.array(unseen) if unseen else nothing,
        infer=never,
        describe=lambda codes: codes,
    )


ROOMS = taught(SIZES, [[0, -1, -1, -1], [1, 2, 0, -1], [2, 2, 2, 0]], [[0, 1, 2, 0], [3, 3, 1, 0], [1, 0, 0, 0]])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_untaught_concepts_are_neither_taught_nor_combinations_that_were_seen(seed: int) -> None:
    drawn = draw_untaught(ROOMS, 120, np.random.default_rng(seed))
    rows = set(map(tuple, drawn.tolist()))
    assert len(rows) == len(drawn) == 120
    assert rows.isdisjoint(map(tuple, ROOMS.train.tolist()))
    assert {row for row in rows if -1 not in row} == set(map(tuple, ROOMS.unseen.tolist()))
    assert set(order(drawn).tolist()) == {1, 2, 3, 4}
    again = draw_untaught(ROOMS, 120, np.random.default_rng(seed))
    np.testing.assert_array_equal(drawn, again)


def test_all_that_there_are_and_no_more() -> None:
    small = taught({"a": 2, "b": 2}, [[0, -1], [0, 1]], [[1, 1]])
    drawn = draw_untaught(small, 50, np.random.default_rng(0))
    assert set(map(tuple, drawn.tolist())) == {(1, -1), (-1, 0), (-1, 1), (1, 1)}
    without = taught({"a": 2, "b": 2}, [], [])
    assert set(order(draw_untaught(without, 50, np.random.default_rng(0))).tolist()) == {1}
    alone = taught({"a": 2}, [[0], [1]], [])
    assert draw_untaught(alone, 5, np.random.default_rng(0)).shape == (0, 1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_operators_make_the_targets_of_their_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = draw_untaught(ROOMS, 120, rng)
    pairs = draw_pairs(ROOMS, targets, rng)
    assert len(pairs.targets) == 120
    assert set(pairs.operators.tolist()) == {0, 1, 2}
    unseen = set(map(tuple, ROOMS.unseen.tolist()))
    for number, operator in enumerate(OPERATORS):
        mine = pairs.operators == number
        first, second = pairs.first[mine], pairs.second[mine]
        np.testing.assert_array_equal(operator.combine(first, second), targets[pairs.targets[mine]])
        assert (first != second).any(axis=1).all()
        assert unseen.isdisjoint([*map(tuple, first.tolist()), *map(tuple, second.tolist())])
    differ = (pairs.first != pairs.second) & (pairs.first != -1) & (pairs.second != -1)
    assert differ.any(), "IN COMMON has to do without values that are not alike"


def test_what_no_operator_makes_has_no_pair() -> None:
    alone = taught({"a": 3}, [], [])
    pairs = draw_pairs(alone, np.array([[0], [2]]), np.random.default_rng(0))
    assert pairs.first.shape == (0, 1)
    assert pairs.targets.shape == (0,)
    nothing = draw_pairs(ROOMS, np.empty((0, 4), np.int64), np.random.default_rng(0))
    assert nothing.second.shape == (0, 4)
