import itertools

import numpy as np
import pytest

from disent_runner.metrics.variance_share import latents_by_column, variance_share, variance_within_groups
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (4, 3, 5)
NAMES = ("azimuth", "elevation", "identity")
GRID = np.array(list(itertools.product(*map(range, SIZES))))
VALUES = GRID.astype(float)


def score(codes, factors=GRID, **settings):
    rep = Representation(np.asarray(codes, dtype=float), factors, SIZES, factor_names=NAMES)
    return variance_share(rep, rng=np.random.default_rng(0), **settings)


def variance_of(codes, factors, column):
    variance = variance_within_groups(codes, factors, column)
    assert variance is not None
    return variance


def by_enumeration(codes, factors, column):
    """Variances of the groups, one by one, weighted by images."""
    groups = {}
    for code, values in zip(codes, factors.tolist(), strict=True):
        groups.setdefault((*values[:column], *values[column + 1 :]), []).append((code, values[column]))
    kept = [np.array([code for code, _ in group]) for group in groups.values() if len({v for _, v in group}) > 1]
    return np.average([group.var(axis=0) for group in kept], axis=0, weights=[len(group) for group in kept])


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(VALUES, (1.0, 1.0, 1.0), id="one latent per factor"),
        pytest.param(VALUES[:, [2, 0, 1]] * [3.0, -2.0, 1e-3] + 7.0, (1.0, 1.0, 1.0), id="any order, sign and scale"),
        pytest.param(np.hstack([VALUES, VALUES]), (0.5, 0.5, 0.5), id="every latent twice"),
        pytest.param(np.hstack([VALUES, np.full((60, 2), 0.1)]), (1.0, 1.0, 1.0), id="beside constant latents"),
        pytest.param(np.hstack([VALUES, 3 * VALUES[:, :1]]), (0.9, 1.0, 1.0), id="one factor in two latents, 1 to 3"),
        pytest.param(VALUES[:, :2], (1.0, 1.0, 0.0), id="no latent for one factor"),
        pytest.param(VALUES.sum(axis=1, keepdims=True), (1.0, 1.0, 1.0), id="one latent of all factors"),
        pytest.param(np.full((60, 2), 0.1), (0.0, 0.0, 0.0), id="constant codes"),
    ],
)
def test_shares_on_a_grid(codes, expected):
    scores = score(codes)
    assert [scores[f"variance_share_factor_{k}"] for k in range(3)] == pytest.approx(expected, abs=1e-12)
    assert scores["variance_share"] == pytest.approx(np.mean(expected), abs=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4])
def test_a_turn_leaves_the_larger_squared_part(angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scores = score(np.hstack([VALUES[:, :2] @ turn, VALUES[:, 2:]]))
    shares = [scores[f"variance_share_factor_{k}"] for k in range(3)]
    assert shares == pytest.approx([np.cos(angle) ** 2, np.cos(angle) ** 2, 1.0])


def test_groups_are_those_of_an_enumeration_also_where_images_are_missing_or_repeated():
    rng = np.random.default_rng(0)
    rows = rng.integers(len(GRID), size=50)
    codes, factors = rng.normal(size=(50, 4)) + 1e3, GRID[rows]
    for column in range(3):
        variance = variance_of(codes, factors, column)
        np.testing.assert_allclose(variance, by_enumeration(codes, factors, column))
        narrow = variance_of(codes.astype(np.float32), factors.astype(np.uint8), column)
        np.testing.assert_allclose(narrow, variance, rtol=1e-3)


def test_groups_of_more_combinations_than_there_are_whole_numbers():
    rng = np.random.default_rng(0)
    factors = np.repeat(rng.integers(50_000, size=(20, 9)), 3, axis=0)
    factors[:, 4] = rng.permuted(np.tile([0, 1, 49_999], (20, 1)), axis=1).ravel()
    codes = rng.normal(size=(60, 2))
    np.testing.assert_allclose(variance_of(codes, factors, 4), by_enumeration(codes, factors, 4))
    np.testing.assert_allclose(variance_of(codes, factors, 4), codes.reshape(20, 3, 2).var(axis=1).mean(axis=0))
    assert variance_within_groups(codes, factors, 0) is None


def test_one_group_is_all_images_where_there_is_one_factor():
    codes = np.random.default_rng(0).normal(size=(9, 2))
    variance = variance_of(codes, np.arange(9)[:, None], 0)
    np.testing.assert_allclose(variance, codes.var(axis=0))


def test_images_that_only_repeat_a_value_do_not_count():
    factors = np.array([[0, 0], [0, 0], [1, 1], [2, 1]])
    variance = variance_of(np.array([[0.0], [100.0], [1.0], [3.0]]), factors, 0)
    np.testing.assert_array_equal(variance, [1.0])
    assert variance_within_groups(np.ones((4, 1)), factors, 1) is None


def test_a_model_s_own_latents_are_scored_by_the_name_of_their_factor():
    codes = np.hstack([VALUES[:, 1:2], VALUES[:, :1], 3 * VALUES[:, :1]])
    scores = score(codes, latents={"elevation": 0, "azimuth": 1})
    expected = {"variance_share": 0.55, "variance_share_factor_1": 1.0, "variance_share_factor_0": 0.1}
    assert scores == pytest.approx(expected)
    assert score(codes, latents={"azimuth": 0})["variance_share"] == 0.0


def test_a_factor_that_never_varies_alone_is_left_out():
    both = np.repeat(np.arange(3), 2)
    factors = np.column_stack([both, both, np.tile([0, 1], 3)])
    assert set(score(factors, factors)) == {"variance_share", "variance_share_factor_2"}


def test_images_with_an_unknown_label_are_left_out():
    factors = np.where(np.arange(60)[:, None] % 7 == 0, UNKNOWN, GRID)
    known = factors[:, 0] != UNKNOWN
    codes = np.random.default_rng(0).normal(size=(60, 4))
    assert score(codes, factors) == score(codes[known], GRID[known])


def test_nothing_varies_alone():
    with pytest.raises(NotApplicable, match="variance_share needs two images that differ in one factor only, got none"):
        score(np.eye(2), np.array([[0, 0, 0], [1, 1, 1]]))


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        ({"hue": 0}, "variance_share needs latents of azimuth, elevation, identity, got one of hue"),
        ({"azimuth": 3}, "variance_share needs latents.azimuth from 0 to 2, got 3"),
        ({"azimuth": -1}, "variance_share needs latents.azimuth from 0 to 2, got -1"),
    ],
)
def test_latents_that_are_not_there(latents, message):
    with pytest.raises(ValueError, match=message):
        score(VALUES, latents=latents)


def test_without_names_every_factor_has_its_best_latent():
    rep = Representation(VALUES, GRID, SIZES)
    assert latents_by_column("a", rep, {}) == latents_by_column("a", rep, None) == {0: None, 1: None, 2: None}


def test_codes_must_be_finite():
    with pytest.raises(ValueError, match="variance_share needs finite codes, got 1 value"):
        variance_within_groups(np.array([[0.0], [np.nan]]), np.array([[0], [1]]), 0)
