from collections import Counter

import numpy as np
import pytest

from disent_runner.datasets.grouped_batches import PairBatches, VaryingBatches, sizes_of
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable

SIZES = {"identity": 5, "azimuth": 7, "light": 3, "fixed": 1}
GRID = FactorSpace(SIZES)
KINDS = [["azimuth"], ["light"], ["identity", "fixed"]]
SEEDS = [0, 1, 2]


def varying(space=GRID, *, batch_size: int = 6, seed: int = 0, odds=(1, 1, 10)) -> VaryingBatches:
    return VaryingBatches(space=space, kinds=KINDS, odds=odds, batch_size=batch_size, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_only_the_factors_of_the_kind_vary(seed: int) -> None:
    batches = varying(seed=seed, odds=(1, 1, 1))
    kinds = set()
    for step in range(60):
        batch = batches.draw(step)
        labels = GRID.factors(batch.rows.numpy())
        varied = {name for name, column in zip(SIZES, labels.T, strict=True) if len(set(column.tolist())) > 1}
        kinds.add(batch.kind)
        assert varied == set(batch.kind or ()) - {"fixed"}
    assert kinds == {tuple(kind) for kind in KINDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_kinds_come_by_their_odds(seed: int) -> None:
    """Within five standard errors of 1/13 and 10/13."""
    batches = varying(seed=seed)
    counts = Counter(batches.draw(step).kind for step in range(3000))
    shares = np.array([counts[tuple(kind)] for kind in KINDS]) / 3000
    expected = np.array([1, 1, 10]) / 12
    assert (np.abs(shares - expected) < 5 * np.sqrt(expected * (1 - expected) / 3000)).all()
    never = varying(seed=seed, odds=(0, 0, 3))
    assert {never.draw(step).kind for step in range(50)} == {("identity", "fixed")}


def test_images_of_a_batch_differ_where_there_are_enough() -> None:
    batches = varying(batch_size=7, odds=(1, 1, 1))
    for step in range(30):
        batch = batches.draw(step)
        distinct = len(set(batch.rows.tolist()))
        assert distinct == 7 if batch.kind == ("azimuth",) else distinct <= 5


def test_batches_are_functions_of_seed_step_and_stream() -> None:
    rows = varying().draw(4).rows.tolist()
    assert rows == varying().draw(4).rows.tolist()
    others = [varying(seed=1).draw(4), varying().draw(5), varying().draw(4, stream=1)]
    assert all(rows != other.rows.tolist() for other in others)


def test_images_without_a_grid() -> None:
    rng = np.random.default_rng(0)
    labels = np.stack([rng.integers(4, size=200), rng.integers(-1, 3, size=200)], axis=1)
    table = LabelTable({"identity": 4, "pose": 3}, labels)
    batches = VaryingBatches(space=table, kinds=[["pose"]], odds=[1], batch_size=5, seed=0)
    for step in range(20):
        assert len(set(labels[batches.draw(step).rows.numpy(), 0].tolist())) == 1


@pytest.mark.parametrize(
    ("kinds", "odds", "message"),
    [
        ([["age"]], [1], "model.factors names 'age'"),
        ([["azimuth"]], [1, 2], "a weight for each of 1 kinds of batch, got .1, 2."),
        ([["azimuth"]], [-1], "a weight for each"),
        ([["azimuth"]], [0], "a weight for each"),
        ([["fixed"]], [1], "no two images differ in fixed alone"),
    ],
)
def test_impossible_kinds(kinds, odds, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VaryingBatches(space=GRID, kinds=kinds, odds=odds, batch_size=4, seed=0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("num_changed", [1, 2, 3, None])
def test_pairs_differ_in_so_many_factors(num_changed: int | None, seed: int) -> None:
    pairs = PairBatches(space=GRID, num_changed=num_changed, batch_size=500, seed=seed)
    batch = pairs.draw(3)
    assert batch.partners is not None
    first, second = (GRID.factors(rows.numpy()) for rows in (batch.rows, batch.partners))
    changed = first != second
    counts = np.bincount(changed.sum(axis=1), minlength=4)
    if num_changed is None:
        assert counts[[0, 3]].tolist() == [0, 0]
        assert abs(counts[1] - 250) < 5 * np.sqrt(125)
    else:
        assert counts[num_changed] == 500
        share = num_changed / 3
        error = 5 * np.sqrt(share * (1 - share) / 500)
        assert (np.abs(changed.mean(axis=0) - [share, share, share, 0]) <= error).all()
    expected = pairs.factors(3)
    np.testing.assert_array_equal(first, expected[0])
    np.testing.assert_array_equal(second, expected[1])


def test_streams_of_pairs_are_others() -> None:
    pairs = PairBatches(space=GRID, num_changed=1, batch_size=6, seed=0)
    draws = [pairs.draw(*place) for place in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert len({tuple(draw.rows.tolist()) for draw in draws}) == 4


def test_partners_take_every_other_value_equally_often() -> None:
    pairs = PairBatches(space=FactorSpace({"a": 4, "b": 2}), num_changed=1, batch_size=6000, seed=0)
    first, second = pairs.factors(0)
    moved = first[:, 0] != second[:, 0]
    steps = np.bincount((second - first)[moved, 0] % 4, minlength=4)
    assert steps[0] == 0
    assert (np.abs(steps[1:] / moved.sum() - 1 / 3) < 0.05).all()


@pytest.mark.parametrize(
    ("space", "num_changed", "message"),
    [
        (FactorSpace({"a": 3, "b": 1}), None, "at least two factors, got 3 images of a 3, b 1"),
        (FactorSpace({"a": 3, "b": 2}, np.array([0, 1, 2])), None, "images of all combinations"),
        (LabelTable({}, np.zeros((5, 0), int)), None, "got 5 images of no factors"),
        (FactorSpace({"a": 3, "b": 2}), 3, "num_changed must be 1 to 2 or null, got 3"),
    ],
)
def test_impossible_pairs(space, num_changed, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PairBatches(space=space, num_changed=num_changed, batch_size=4, seed=0)


def test_sizes_of_named_factors() -> None:
    assert sizes_of(["light", "azimuth"], SIZES, "model.factors") == [3, 7]
    with pytest.raises(ValueError, match=r"model.factors names 'hue'; the factors are identity, azimuth, light, fixed"):
        sizes_of(["light", "hue"], SIZES, "model.factors")
