import numpy as np
import pytest

from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.splits import at_random, by_combination, by_values

GRID = FactorSpace({"identity": 10, "pose": 7, "light": 3})
LABELS = GRID.factors(np.arange(210))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_at_random(seed: int) -> None:
    held_out = at_random(GRID, fraction=0.3, seed=seed)
    assert held_out.sum() == 63
    np.testing.assert_array_equal(held_out, at_random(GRID, fraction=0.3, seed=seed))
    assert (held_out != at_random(GRID, fraction=0.3, seed=seed + 1)).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_identities_are_on_one_side_only(seed: int) -> None:
    held_out = by_combination(GRID, factors=["identity"], fraction=0.2, seed=seed)
    inside, outside = (set(LABELS[side, 0].tolist()) for side in (held_out, ~held_out))
    assert len(inside) == 2
    assert inside.isdisjoint(outside)
    assert inside | outside == set(range(10))
    assert held_out.sum() == 2 * 21


def test_combinations_are_on_one_side_only() -> None:
    held_out = by_combination(GRID, factors=["light", "identity"], count=4, seed=5)
    inside, outside = ({tuple(row) for row in LABELS[side][:, [2, 0]].tolist()} for side in (held_out, ~held_out))
    assert len(inside) == 4
    assert inside.isdisjoint(outside)
    assert len(inside | outside) == 30


def test_only_combinations_that_are_shown_are_drawn() -> None:
    table = LabelTable({"a": 100, "b": 100}, np.array([[3, 4], [3, 4], [99, 0], [5, 5]]))
    for seed in range(10):
        held_out = by_combination(table, factors=["a", "b"], count=1, seed=seed)
        assert held_out.sum() in (1, 2)
        assert held_out[0] == held_out[1]


def test_values_are_a_region() -> None:
    held_out = by_values(GRID, values={"pose": [1, 6], "light": [2]})
    np.testing.assert_array_equal(held_out, np.isin(LABELS[:, 1], [1, 6]) & (LABELS[:, 2] == 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: at_random(GRID, fraction=1.0, seed=0), "fraction must be above 0 and below 1, got 1.0"),
        (lambda: at_random(GRID, fraction=0.001, seed=0), "holds out no image of 210"),
        (lambda: by_combination(GRID, factors=["age"], count=1, seed=0), "names 'age'; the factors are identity, pose"),
        (lambda: by_combination(GRID, factors=[], count=1, seed=0), "must name at least one factor"),
        (lambda: by_combination(GRID, factors=["pose"], seed=0), "either fraction or count, got fraction=None and"),
        (lambda: by_combination(GRID, factors=["pose"], count=7, seed=0), "hold out 7 of the 7 combinations of pose"),
        (lambda: by_combination(GRID, factors=["pose"], fraction=0.01, seed=0), "hold out 0 of the 7"),
        (lambda: by_values(GRID, values={"pose": [7]}), "values.pose must be 0 to 6, got 7"),
        (lambda: by_values(GRID, values={}), "holds out every image"),
        (
            lambda: by_combination(LabelTable({"a": 2}, np.array([[0], [-1], [1]])), factors=["a"], count=1, seed=0),
            "1 images have no label of a",
        ),
    ],
)
def test_impossible_splits(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
