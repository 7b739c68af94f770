import itertools
from collections import defaultdict

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from disent_runner.metrics import flatness as module
from disent_runner.metrics.flatness import (
    MISSING,
    draw_traversals,
    flatness,
    flatness_from_traversals,
    rows_by_length,
    traversal_table,
)
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (4, 3, 6)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
KEYS = ("flatness", "flatness_l1", "flatness_l2")


def score(codes, *, factors=GRID, seed=0, **settings):
    sizes = tuple(int(size) for size in factors.max(axis=0) + 1)
    rep = Representation(np.asarray(codes, dtype=float), factors, sizes)
    return flatness(rep, rng=np.random.default_rng(seed), **settings)


def by_definition(codes, factors):
    """The definition, traversal by traversal, of each factor."""
    scores = {}
    for column in range(factors.shape[1]):
        groups = defaultdict(list)
        for row in np.lexsort(factors.T[[column]]):
            groups[tuple(np.delete(factors[row], column))].append(row)
        extents = []
        for rows in groups.values():
            points = codes[rows]
            for metric in ("cityblock", "euclidean"):
                closed = [pdist(np.stack([points[i], points[i - 1]]), metric)[0] for i in range(len(points))]
                extents.append((pdist(points, metric).max(), sum(sorted(closed)[:-1])))
        (width_l1, length_l1), (width_l2, length_l2) = np.reshape(extents, (-1, 2, 2)).mean(axis=0)
        scores[column] = width_l2 / length_l1, width_l1 / length_l1, width_l2 / length_l2
    return scores


@pytest.mark.parametrize("norm", [0, 1])
def test_flatness_is_its_definition(norm):
    codes = np.random.default_rng(0).standard_normal((len(GRID), 3)) + norm * GRID
    expected = by_definition(codes, GRID)
    scores = score(codes)
    assert [scores[key] for key in KEYS] == pytest.approx(np.mean(list(expected.values()), axis=0))
    assert [scores[f"flatness_factor_{k}"] for k in range(3)] == pytest.approx([expected[k][0] for k in range(3)])


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(GRID, (1, 1, 1), id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [300.0, -0.2, 1.0] + 7.0, (1, 1, 1), id="in any order, sign and scale"),
        pytest.param(GRID**3, (1, 1, 1), id="bent in time, not in space"),
        pytest.param(np.hstack([GRID, np.full((72, 2), 0.1)]), (1, 1, 1), id="beside constant codes"),
        pytest.param(np.hstack([GRID, -GRID]), (2**-0.5, 1, 1), id="every code twice"),
        pytest.param(np.hstack([GRID, GRID, GRID]), (3**-0.5, 1, 1), id="every code three times"),
        pytest.param(np.full((72, 3), 0.1), (0, 0, 0), id="constant codes"),
        pytest.param(GRID[:, :2], (2 / 3,) * 3, id="nothing for one of three factors"),
        pytest.param(GRID.sum(axis=1, keepdims=True), (1, 1, 1), id="one code for all factors"),
    ],
)
def test_flatness_on_a_full_grid(codes, expected):
    scores = score(codes)
    assert [scores[key] for key in KEYS] == pytest.approx(expected)
    assert scores["flatness_coverage"] == 1


def test_two_factors_turned_by_45_degrees_are_flat_on_no_axis():
    turn = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    scores = score(GRID @ turn)
    assert [scores[f"flatness_factor_{k}"] for k in range(3)] == pytest.approx([2**-0.5, 2**-0.5, 1])
    assert scores["flatness_l2"] == pytest.approx(1)


@pytest.mark.parametrize("period", [4, 7, 40])
def test_a_circle_is_as_flat_as_its_diameter(period):
    angle = 2 * np.pi * np.arange(period) / period
    scores = score(np.stack([np.cos(angle), np.sin(angle)], axis=1), factors=np.arange(period)[:, None])
    diameter = 1 if period % 2 == 0 else np.cos(np.pi / period / 2)
    assert scores["flatness_l2"] == pytest.approx(diameter / ((period - 1) * np.sin(np.pi / period)))


def test_random_codes_are_crumpled():
    """Mean |u - u'| of uniform numbers is 1/3, and the range of 40 of them 39/41; one of 40 steps is left out."""
    factors = np.stack(np.unravel_index(np.arange(40 * 200), (40, 200)), axis=1)
    for seed in range(3):
        codes = np.random.default_rng(seed).random((len(factors), 1))
        assert score(codes, factors=factors)["flatness_factor_0"] < 39 / 41 / (40 / 3 - 1) + 0.005


def test_means_are_over_traversals_before_the_ratio():
    codes = [np.array([[[0.0], [1.0], [2.0]], [[0.0], [10.0], [5.0]]])]  # widths 2 and 10, lengths 2 and 10
    assert flatness_from_traversals(codes)["flatness"] == 1
    longer = np.array([[[0.0], [3.0], [0.0], [3.0]]])  # width 3, length 9
    assert flatness_from_traversals([*codes, longer])["flatness"] == pytest.approx((2 + 10 + 3) / (2 + 10 + 9))


def test_chunks_of_traversals_do_not_change_the_score(monkeypatch):
    codes = np.random.default_rng(0).standard_normal((len(GRID), 3))
    expected = score(codes)
    extents, held = module._extents, []
    monkeypatch.setattr(module, "VALUES_PER_CHUNK", 40)
    monkeypatch.setattr(
        module, "_extents", lambda chunk: held.append(len(chunk) * chunk.shape[1] ** 2) or extents(chunk)
    )
    assert score(codes) == pytest.approx(expected)
    assert max(held) < 80  # distances of values: 11 chunks of the 12 traversals of the last factor leave two in one


def test_a_perfect_code_is_flat_on_any_images():
    for seed in range(5):
        kept = np.random.default_rng(seed).permutation(72)[:35]
        scores = score(GRID[kept], factors=GRID[kept])
        assert scores["flatness"] == pytest.approx(1)
        assert 0.3 < scores["flatness_coverage"] < 1


def test_coverage_is_the_share_of_values_that_traversals_have():
    kept = ~((GRID[:, 2] == 1) & (GRID[:, 0] == 0))  # a quarter of the traversals of the last factor lacks one of six
    scores = score(GRID[kept], factors=GRID[kept])
    assert scores["flatness_coverage"] == pytest.approx(((15 + 3 * 3 / 4) / 18 + 1 + (1 - 1 / 24)) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_traversals_are_images_that_differ_in_one_factor_only(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(72, size=60)  # some images twice, some not at all
    factors = GRID[rows].astype(np.uint8)
    for column in range(3):
        table = traversal_table(factors, column, minimum=2, num_traversals=100, rng=rng)
        found = {tuple(sorted(map(tuple, factors[row[row != MISSING]]))) for row in table}
        groups = defaultdict(set)
        for values in factors:
            groups[tuple(np.delete(values, column))].add(tuple(values))
        assert found == {tuple(sorted(group)) for group in groups.values() if len(group) > 1}
        values = np.unique(factors[:, column])
        for row in table:
            np.testing.assert_array_equal(factors[row[row != MISSING], column], values[row != MISSING])


def test_traversals_are_drawn_evenly_and_so_are_images_of_the_same_values():
    factors = np.repeat(GRID[:, :2], 4, axis=0)[:, ::-1]
    rng = np.random.default_rng(0)
    draws = np.concatenate([traversal_table(factors, 0, minimum=3, num_traversals=2, rng=rng) for _ in range(500)])
    assert draws.shape == (1_000, 3)
    counts = np.bincount(draws.ravel(), minlength=len(factors))
    expected = 1_000 * 3 / len(factors)
    assert np.abs(counts - expected).max() < 5 * expected**0.5


@pytest.mark.parametrize("num_traversals", [1_000, 30])
def test_of_many_images_with_the_same_values_each_is_in_one_traversal(num_traversals):
    copies = np.random.default_rng(0).integers(5, 12, size=(4, 3))
    factors = np.repeat(GRID[::6, :2], copies.ravel(), axis=0)
    rng = np.random.default_rng(1)
    shuffled = factors[rng.permutation(len(factors))]
    for column in range(2):
        table = traversal_table(shuffled, column, minimum=3, num_traversals=num_traversals, rng=rng)
        assert len(table) == min(copies.min(axis=column).sum(), num_traversals)
        assert len(np.unique(table)) == table.size
        assert (shuffled[table][:, :, column] == np.arange(factors[:, column].max() + 1)).all()
        assert (np.ptp(shuffled[table][:, :, 1 - column], axis=1) == 0).all()


def test_no_image_of_the_same_values_is_left_out_for_good():
    factors = np.repeat(np.arange(3), [1, 5, 9])[:, None]
    tables = [
        traversal_table(factors, 0, minimum=3, num_traversals=10, rng=rng)
        for rng in np.random.default_rng(0).spawn(200)
    ]
    assert {table.shape for table in tables} == {(1, 3)}
    assert set(np.concatenate(tables).ravel()) == set(range(15))


def test_more_images_of_the_same_values_make_the_score_more_certain():
    """Nine times as many: a third of the spread, as a mean's, where one image of each combination would leave it."""
    spread = {}
    for copies in (4, 36):
        factors = np.repeat(GRID[::6, :2], copies, axis=0)
        noise = [np.random.default_rng(seed).standard_normal((len(factors), 2)) for seed in range(24)]
        spread[copies] = np.std([score(factors + 0.5 * sample, factors=factors)["flatness"] for sample in noise])
    assert 0.2 < spread[36] / spread[4] < 0.5  # a third, within two standard errors of a ratio of 24 each


def test_traversals_of_each_length_stand_together():
    groups = rows_by_length(np.array([[5, MISSING, 3], [1, 2, 4], [MISSING, 7, 6]]))
    assert [group.tolist() for group in groups] == [[[5, 3], [7, 6]], [[1, 2, 4]]]


def test_up_to_num_repeats_traversals_are_drawn():
    tables = draw_traversals("flatness", GRID, num_repeats=5, rng=np.random.default_rng(0))
    assert {column: table.shape for column, table in tables.items()} == {0: (5, 4), 1: (5, 3), 2: (5, 6)}
    codes = np.random.default_rng(0).standard_normal((72, 3))
    first, again, other = (score(codes, seed=seed, num_repeats=5)["flatness"] for seed in (0, 0, 1))
    assert first == again != other


def test_a_factor_of_two_values_has_traversals_of_two():
    assert score(GRID[:, :1], factors=np.minimum(GRID[:, :1], 1))["flatness"] == 1


def test_a_factor_with_one_value_or_without_traversals_is_left_out():
    factors = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 1], [4, 0, 2]])
    scores = score(factors, factors=factors)
    assert scores == {
        "flatness": 1,
        "flatness_l1": 1,
        "flatness_l2": 1,
        "flatness_coverage": 3 / 5,
        "flatness_factor_0": 1,
    }


def test_images_without_traversals_have_no_score():
    factors = np.array([[0, 1], [1, 2], [2, 0]])
    with pytest.raises(
        NotApplicable, match=r"flatness needs 3 images that differ in one factor only, got none .* 3 images"
    ):
        score(factors, factors=factors)
    with pytest.raises(NotApplicable, match=r"flatness needs at least 1 factor\(s\)"):
        score(factors, factors=np.zeros((3, 2), dtype=int))


def test_errors_name_the_metric_and_the_reason():
    with pytest.raises(ValueError, match="flatness needs num_repeats >= 1, got 0"):
        score(GRID, num_repeats=0)
    with pytest.raises(ValueError, match="flatness needs finite codes, got 1 value"):
        flatness_from_traversals([np.array([[[0.0], [np.nan]]])])
