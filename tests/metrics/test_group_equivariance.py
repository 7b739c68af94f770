import itertools

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from disent_runner.metrics.flatness import MISSING
from disent_runner.metrics.group_equivariance import (
    equivariance_from_orbits,
    group_equivariance,
    linear_map_error,
    movement,
    overlap,
)
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (12, 9, 5)
NAMES = ("hue", "turn", "size")
PERIODS = {"hue": 12, "turn": 9}
GRID = np.array(list(itertools.product(*map(range, SIZES))))
HUE, TURN = (2 * np.pi * GRID[:, k] / SIZES[k] for k in range(2))
SIZE = GRID[:, 2:]


def columns(*codes):
    return np.stack(codes, axis=1)


def circle(angle):
    return columns(np.cos(angle), np.sin(angle))


def score(codes, *, factors=GRID, periods=PERIODS, seed=0, **settings):
    sizes = tuple(int(size) for size in factors.max(axis=0) + 1)
    rep = Representation(np.asarray(codes, dtype=np.float32), factors, sizes, factor_names=NAMES, periods=periods)
    return group_equivariance(rep, rng=np.random.default_rng(seed), **settings)


TORUS = np.hstack([circle(HUE), circle(TURN), SIZE])
MIXED = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5))).Q
SKEWED = np.diag([1.0, 0.3, 2.0, 0.5, 5.0])


@pytest.mark.parametrize(
    ("codes", "equivariance", "independence"),
    [
        pytest.param(TORUS, 1, 1, id="a circle each"),
        pytest.param(3 * TORUS[:, [4, 2, 0, 3, 1]] * [1, -1, 1, 1, -1] + 7, 1, 1, id="in any order, scale and sign"),
        pytest.param(TORUS @ MIXED, 1, 1, id="rotated: its planes are no less of their own"),
        pytest.param(TORUS @ SKEWED, 1, 1, id="ellipses"),
        pytest.param(np.hstack([TORUS, 2 * TORUS, np.full((540, 1), 0.1)]), 1, 1, id="twice, beside a constant"),
        pytest.param(np.hstack([circle(HUE), circle(2 * HUE), circle(4 * TURN)]), 1, 1, id="several frequencies"),
        pytest.param(np.hstack([np.eye(12)[GRID[:, 0]], np.eye(9)[GRID[:, 1]]]), 1, 1, id="one code per value"),
        pytest.param(np.hstack([circle(HUE + TURN), circle(HUE - TURN)]), 1, 0, id="both act on both planes"),
        pytest.param(np.hstack([circle(HUE), SIZE]), 1 / 2, 1 / 2, id="nothing for one of two"),
        pytest.param(np.hstack([columns(np.cos(HUE), np.cos(TURN)), SIZE]), 1 / 2, 1, id="the shadow of each circle"),
        pytest.param(circle(HUE) + circle(TURN), 0, 0, id="both circles in one plane"),
        pytest.param(np.zeros((540, 3)), 0, 0, id="constant codes"),
        pytest.param(SIZE, 0, 0, id="only what is not cyclic"),
    ],
)
def test_scores_of_a_torus_and_its_like(codes, equivariance, independence):
    scores = score(codes)
    # leaving out each of 540 pairs adds to the error of a map that is not exact, of up to four coefficients
    left_out = 0.01 if 0 < equivariance < 1 else 1e-6
    assert scores["group_equivariance"] == pytest.approx(equivariance, abs=left_out)
    assert scores["group_independence"] == pytest.approx(independence, abs=1e-6)
    assert scores.keys() >= {f"group_{kind}_factor_{k}" for kind in ("equivariance", "independence") for k in (0, 1)}


@pytest.mark.parametrize("period", [5, 12, 39])
def test_an_angle_in_one_code_has_its_mean_squared_autocorrelation(period):
    """Of the sawtooth: 1 - 6m(n - m) / (n² - 1) after m steps of n. A map's R² is its square; the mean is over m."""
    factors = np.array(list(itertools.product(range(period), range(60), range(2))))
    step = np.arange(period)
    expected = np.square(1 - 6 * step * (period - step) / (period**2 - 1)).mean()
    scores = score(factors[:, :1] / period, factors=factors, periods={"hue": period})
    assert scores["group_equivariance"] == pytest.approx(expected, abs=5e-3)
    assert scores["group_independence"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_zero(seed):
    scores = score(np.random.default_rng(seed).standard_normal((540, 6)), seed=seed)
    assert 0 <= scores["group_equivariance"] < 0.05
    assert 0 <= scores["group_independence"] < 0.15


def test_noise_costs_what_it_adds_to_the_error():
    """With variance v of each code, 1/2 of it the circle's: the best map leaves 2v - 1/(2v), the mean 2v - cos."""
    period, deviation = 12, 0.5
    factors = np.array(list(itertools.product(range(period), range(40), range(10))))
    noise = deviation * np.random.default_rng(0).standard_normal((len(factors), 2))
    codes = circle(2 * np.pi * factors[:, 0] / period) + noise
    variance = 0.5 + deviation**2
    expected = 1 - (2 * variance - 1 / (2 * variance)) / (2 * variance + 1 / (period - 1))  # the cosines' mean: -1/11
    found = score(codes, factors=factors, periods={"hue": period})
    assert found["group_equivariance"] == pytest.approx(expected, abs=0.01)


def test_independence_is_of_the_planes_in_which_factors_move_codes():
    codes = columns(np.cos(HUE), np.sin(HUE) + np.cos(TURN), np.sin(TURN))  # covariances ∝ diag(1, 1, 0), diag(0, 1, 1)
    assert score(codes)["group_independence"] == pytest.approx(1 / 2)
    shared = np.hstack([circle(HUE), circle(TURN) + SIZE])  # a factor that is not cyclic counts, too
    assert score(shared)["group_independence_factor_1"] == pytest.approx(1 - 2**-0.5)  # of diag(1, 1) and ones


def test_dsprites_orientation_is_back_after_39_of_its_40_values():
    factors = np.array(list(itertools.product(range(3), range(40), range(8))))
    codes = np.hstack([circle(2 * np.pi * factors[:, 1] / 39), factors[:, ::2]])
    ones = {f"group_{kind}{k}": 1 for kind in ("equivariance", "independence") for k in ("", "_factor_1")}
    assert score(codes, factors=factors, periods={"turn": 39}) == pytest.approx(ones)
    last_only = factors[:, 1] != 0  # the same image
    assert score(codes[last_only], factors=factors[last_only], periods={"turn": 39}) == pytest.approx(ones)


def test_shapes_of_different_symmetry_need_planes_of_their_own():
    """An ellipse is back after half a turn: in the plane of a heart no one map turns both, in another it does."""
    factors = np.array(list(itertools.product(range(2), range(12), range(3))))
    heart = factors[:, :1] == 0
    once, twice = (circle(times * 2 * np.pi * factors[:, 1] / 12) for times in (1, 2))
    apart = np.hstack([once * heart, twice * ~heart, heart])
    assert score(apart, factors=factors, periods={"turn": 12})["group_equivariance"] == pytest.approx(1)
    together = np.where(heart, once, twice)
    assert score(together, factors=factors, periods={"turn": 12})["group_equivariance"] < 0.6


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_code_is_perfect_on_any_images(seed):
    kept = np.random.default_rng(seed).permutation(540)[:300]
    scores = score(TORUS[kept], factors=GRID[kept])
    assert [scores["group_equivariance"], scores["group_independence"]] == pytest.approx([1, 1])


def test_periods_may_be_given():
    rep = Representation(TORUS.astype(np.float32), GRID, SIZES, factor_names=NAMES)
    given = group_equivariance(rep, rng=np.random.default_rng(0), periods={"turn": 9})
    assert given.keys() == {
        "group_equivariance",
        "group_equivariance_factor_1",
        "group_independence",
        "group_independence_factor_1",
    }


@pytest.mark.parametrize("rank", [2, 4])
def test_an_error_is_that_of_the_map_of_all_others(rank):
    rng = np.random.default_rng(0)
    source = rng.standard_normal((30, rank)) @ rng.standard_normal((rank, 4))
    target = source @ rng.standard_normal((4, 4)) + 0.5 * rng.standard_normal((30, 4)) + 3
    predicted = cross_val_predict(LinearRegression(), source, target, cv=LeaveOneOut())
    expected = np.square(target - predicted).sum(axis=1).mean()
    assert linear_map_error(source, target) == pytest.approx(expected)


def test_an_image_that_alone_moves_a_code_is_predicted_by_the_mean():
    source = np.zeros((10, 1))
    source[0] = 1
    target = np.ones((10, 1))
    target[0] = 5
    assert linear_map_error(source, target) == pytest.approx((5 - 1.4) ** 2 / 10)


def test_movement_is_the_covariance_within_traversals():
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((9, 3))
    table = np.array([[0, 1, 2, 3], [4, MISSING, 5, MISSING]])
    expected = 3 * np.cov(codes[:4].T) + np.cov(codes[4:6].T)
    np.testing.assert_allclose(movement(codes, table), expected)
    assert not movement(np.full((9, 3), 0.1), table).any()


def test_overlap_is_a_cosine():
    assert overlap(np.diag([1.0, 1, 0]), np.diag([0.0, 1, 1])) == pytest.approx(0.5)
    assert overlap(np.eye(2), 3 * np.eye(2)) == pytest.approx(1)
    assert overlap(np.eye(2), np.zeros((2, 2))) == 0


def test_too_few_pairs_have_no_score():
    orbits = np.arange(5)[None]
    codes = np.random.default_rng(0).standard_normal((5, 2))
    assert equivariance_from_orbits(codes, orbits, num_samples=100, rng=np.random.default_rng(0)) is None
    factors = np.column_stack([np.arange(5), np.zeros((5, 2), dtype=int)])
    with pytest.raises(NotApplicable, match="group_equivariance needs 6 pairs of images"):
        score(codes, factors=factors, periods={"hue": 5})


def test_the_only_factor_that_varies_has_no_independence():
    factors = np.column_stack([np.arange(12), np.zeros((12, 2), dtype=int)])
    scores = score(circle(2 * np.pi * np.arange(12) / 12), factors=factors, periods={"hue": 12})
    assert scores == pytest.approx({"group_equivariance": 1, "group_equivariance_factor_0": 1})


@pytest.mark.parametrize(
    ("factors", "periods"),
    [pytest.param(GRID, {}, id="no period"), pytest.param(GRID, {"mood": 3}, id="of a factor that was left out")],
)
def test_without_a_cyclic_factor_there_is_no_score(factors, periods):
    with pytest.raises(NotApplicable, match=r"group_equivariance\.periods=\{hue: 10\}"):
        score(TORUS, factors=factors, periods=periods)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_samples": 0}, "group_equivariance needs num_samples >= 1, got 0"),
        ({"periods": {"hue": 1}}, "group_equivariance needs periods.hue >= 2, got 1"),
        ({"periods": {"mood": 3}}, "group_equivariance needs periods of hue, turn, size, got one of mood"),
    ],
)
def test_errors_name_the_metric_and_the_reason(settings, message):
    rep = Representation(TORUS, GRID, SIZES, factor_names=NAMES, periods=PERIODS)
    with pytest.raises(ValueError, match=message):
        group_equivariance(rep, rng=np.random.default_rng(0), **settings)


def test_draws_come_from_the_given_generator():
    codes = TORUS + 0.2 * np.random.default_rng(0).standard_normal(TORUS.shape)
    first, again, other = (score(codes, seed=seed, num_samples=100)["group_equivariance"] for seed in (0, 0, 1))
    assert first == again != other
