import itertools
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from disent_runner.metrics import beta_vae_score as module
from disent_runner.metrics.beta_vae_score import _standardize, beta_vae_score, classifier_accuracy, draw_points
from disent_runner.metrics.estimators.sampling import chunk_sizes, rows_by_value
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")
FEW: dict[str, Any] = {"num_train": 1_000, "num_eval": 500}


def score(codes, *, factors=GRID, sizes=SIZES, seed=0, **settings: Any):
    rep = Representation(np.asarray(codes, dtype=float), factors, sizes)
    return beta_vae_score(rep, rng=np.random.default_rng(seed), **(FEW | settings))


@pytest.mark.parametrize("name", ["rotated", "entangled"])
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_classifier_is_as_accurate_as_the_reference_library_s(grid, name, load, oracle):
    parts = ("train_points", "train_labels", "test_points", "test_labels")
    points = load("points")
    train_points, train_labels, test_points, test_labels = (points[f"{grid}_{name}_{part}"] for part in parts)
    accuracy = classifier_accuracy(train_points.astype(float), train_labels, test_points.astype(float), test_labels)
    assert accuracy == oracle(f"{grid}/{name}/beta_vae_classifier")


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", pytest.param("dsprites", marks=pytest.mark.slow)])
def test_score_is_the_reference_library_s(grid, name, full_representation, oracle):
    rep = full_representation(grid, name)
    scores = [beta_vae_score(rep, rng=np.random.default_rng(seed))["beta_vae_score"] for seed in range(2)]
    assert {"mean": np.mean(scores)} == oracle(f"{grid}/{name}/beta_vae")


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(GRID, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 1.0] + 7.0, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, 2.0 * GRID]), id="every code twice"),
        pytest.param(np.hstack([np.full((60, 1), 0.1), GRID]), id="beside a constant code"),
    ],
)
def test_a_perfect_code_scores_one(codes):
    assert set(score(codes).values()) == {1.0}


@pytest.mark.parametrize("seed", range(3))
def test_three_exact_codes_hide_that_the_fourth_factor_is_missing(seed):
    """Kim & Mnih's failure case of this score: position and scale exact, nothing for orientation."""
    sizes = (6, 10, 16, 16)  # scale, orientation, x, y
    factors = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    codes = 2 * factors[:, [0, 2, 3]] / np.array([5, 15, 15]) - 1
    assert score(codes, factors=factors, sizes=sizes, seed=seed)["beta_vae_score"] > 0.99


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_only_the_standardized_score_ignores_the_scale_of_the_codes(scale, full_representation):
    rep = full_representation("small", "rotated")
    plain, scaled = (score(factor * rep.codes, factors=rep.factors, sizes=rep.factor_sizes) for factor in (1.0, scale))
    assert scaled["beta_vae_score_standardized"] == pytest.approx(plain["beta_vae_score_standardized"], abs=0.01)
    assert scaled["beta_vae_score"] != pytest.approx(plain["beta_vae_score"], abs=0.01)


def test_points_are_standardised_as_by_scikit_learn(rng):
    train, test = (np.hstack([3 + 2 * rng.standard_normal((50, 2)), np.full((50, 1), 4.0)]) for _ in range(2))
    expected = np.asarray(StandardScaler().fit(train).transform(test))
    np.testing.assert_allclose(_standardize(test, train), expected, atol=1e-12)


def test_points_are_drawn_as_many_at_a_time_as_their_pairs_of_codes_fit(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "chunk_sizes", lambda *sizes: calls.append(sizes) or chunk_sizes(*sizes))
    score(GRID, batch_size=8)
    assert calls == [(1_000, 2 * 8 * 3), (500, 2 * 8 * 3)]


def test_pairs_share_a_factor_s_value_and_differ_in_all_else():
    """With one code per factor, the mean |difference| of a code is 0 where its factor is shared, else E|v - v'|."""
    expected = [np.abs(np.subtract.outer(np.arange(size), np.arange(size))).mean() for size in SIZES]
    rng = np.random.default_rng(0)
    points, labels = draw_points(
        GRID.astype(float), GRID, rows_by_value(GRID), num_points=3_000, batch_size=64, rng=rng
    )
    for factor, size_expected in enumerate(expected):
        assert (points[labels == factor, factor] == 0).all()
        assert points[labels != factor, factor].mean() == pytest.approx(size_expected, rel=0.01)
    np.testing.assert_allclose(np.bincount(labels) / 3_000, 1 / 3, atol=0.03)


def test_each_pair_of_a_point_has_its_own_value_of_the_shared_factor():
    """Of a code v * w, pairs that share v differ by v * |w - w'|: one v for a point would make points differ."""
    codes = (GRID[:, :1] * GRID[:, 2:]).astype(float)
    rng = np.random.default_rng(0)
    points, labels = draw_points(codes, GRID, rows_by_value(GRID), num_points=600, batch_size=400, rng=rng)
    shared = points[labels == 0, 0]
    assert shared.mean() == pytest.approx(1.5 * 1.6, rel=0.02)  # E v, E |w - w'|
    assert shared.std() < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_chance(seed):
    factors = np.random.default_rng(seed).integers(0, 5, size=(20_000, 4))
    codes = np.random.default_rng(10 + seed).standard_normal((20_000, 6))
    assert score(codes, factors=factors, sizes=(5,) * 4)["beta_vae_score"] == pytest.approx(1 / 4, abs=0.07)


def test_an_incomplete_grid_and_a_constant_factor_need_no_care():
    kept = np.random.default_rng(0).permutation(60)[:35]
    factors = np.column_stack([np.full(35, 1), GRID[kept]])
    assert score(GRID[kept], factors=factors, sizes=(2, *SIZES))["beta_vae_score"] == 1.0


@pytest.mark.parametrize("codes", [np.zeros((60, 2)), np.full((60, 1), 0.1)])
def test_constant_codes_score_about_chance(codes):
    assert score(codes)["beta_vae_score"] == pytest.approx(1 / 3, abs=0.07)


def test_two_images_and_one_latent_have_a_score():
    factors = np.array([[0, 0], [1, 1]])
    scores = score(factors[:, :1], factors=factors, sizes=(2, 2))  # both factors fix the image: nothing to tell
    assert scores["beta_vae_score"] == pytest.approx(1 / 2, abs=0.07)


def test_a_fit_that_stops_early_is_scored_without_a_warning(full_representation):
    rep = full_representation("small", "rotated")
    early, full = (score(rep.codes, factors=rep.factors, sizes=rep.factor_sizes, max_iter=n) for n in (1, 1_000))
    assert early["beta_vae_score"] < full["beta_vae_score"]


@pytest.mark.parametrize(
    ("factors", "settings", "message"),
    [
        pytest.param(GRID * [1, 0, 0], {}, r"beta_vae_score needs at least 2 factor\(s\) .* got 1 of 3", id="one"),
        pytest.param(GRID, {"batch_size": 0}, "beta_vae_score needs batch_size >= 1, got 0", id="no pairs"),
        pytest.param(GRID, {"num_train": 1}, "needs training points of at least 2 factors.*raise num_train", id="few"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, message):
    with pytest.raises(ValueError, match=message):
        score(GRID, factors=factors, **settings)


def test_points_that_are_not_finite_are_refused():
    points, labels = np.array([[0.0], [np.nan]]), np.array([0, 1])
    with pytest.raises(ValueError, match="beta_vae_score needs finite codes, got 1 value"):
        classifier_accuracy(points, labels, points, labels)
