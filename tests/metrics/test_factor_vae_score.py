import itertools
from typing import Any

import numpy as np
import pytest

from disent_runner.metrics.estimators import sampling
from disent_runner.metrics.factor_vae_score import active_codes, factor_vae_score, vote_accuracy
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled")
FEW: dict[str, Any] = {"num_train": 2_000, "num_eval": 1_000}


def score(codes, *, factors=GRID, sizes=SIZES, seed=0, **settings: Any):
    rep = Representation(np.asarray(codes, dtype=float), factors, sizes)
    return factor_vae_score(rep, rng=np.random.default_rng(seed), **(FEW | settings))


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_vote_accuracy_is_the_reference_library_s(grid, name, load, oracle):
    votes = load("votes")
    accuracy = vote_accuracy(votes[f"{grid}_{name}_train"], votes[f"{grid}_{name}_test"])
    assert accuracy == oracle(f"{grid}/{name}/factor_vae_votes")


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", pytest.param("dsprites", marks=pytest.mark.slow)])
def test_score_is_the_reference_library_s(grid, name, full_representation, oracle):
    rep = full_representation(grid, name)
    scores = [factor_vae_score(rep, rng=np.random.default_rng(seed))["factor_vae_score"] for seed in range(3)]
    assert {"mean": np.mean(scores)} == oracle(f"{grid}/{name}/factor_vae")


def test_majority_of_train_votes_names_the_factor_of_test_votes():
    train, test = np.array([[3, 1, 0], [1, 2, 0]]), np.array([[2, 2, 1], [1, 3, 1]])
    assert vote_accuracy(train, test) == pytest.approx({"train": 5 / 7, "test": 6 / 10})  # no train vote: first factor


def test_ties_go_to_the_first_factor():
    assert vote_accuracy(np.array([[2], [2]]), np.array([[3], [1]]))["test"] == 0.75


@pytest.mark.parametrize(
    ("codes", "active"),
    [
        pytest.param(GRID, 3, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [300.0, -0.2, 1.0] + 7.0, 3, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, 2.0 * GRID]), 6, id="every code twice"),
        pytest.param(np.hstack([np.full((60, 1), 0.1), GRID]), 3, id="beside a constant code"),
    ],
)
def test_a_perfect_code_scores_one(codes, active):
    scores = score(codes)
    assert scores == {"factor_vae_score": 1.0, "factor_vae_score_train": 1.0, "factor_vae_active_codes": active}


def test_variances_are_fractions_of_each_code_s_own():
    codes = GRID + 0.3 * np.random.default_rng(0).standard_normal(GRID.shape)
    scores = score(codes)
    assert scores["factor_vae_score"] > 0.9
    assert score(codes * [100.0, -0.3, 1.0]) == scores


@pytest.mark.parametrize("seed", range(3))
def test_a_factor_without_a_code_costs_its_share_of_the_votes(seed):
    """Kim & Mnih's failure case of the β-VAE score: position and scale exact, nothing for orientation."""
    sizes = (6, 10, 16, 16)  # scale, orientation, x, y
    factors = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    scores = score(factors[:, [0, 2, 3]], factors=factors, sizes=sizes, seed=seed)
    assert scores["factor_vae_score"] == pytest.approx(3 / 4, abs=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_chance(seed):
    factors = np.random.default_rng(seed).integers(0, 5, size=(20_000, 4))
    codes = np.random.default_rng(10 + seed).standard_normal((20_000, 6))
    scores = score(codes, factors=factors, sizes=(5,) * 4, seed=seed)
    assert scores["factor_vae_score"] == pytest.approx(1 / 4, abs=0.06)


def test_an_incomplete_grid_needs_no_care():
    kept = np.random.default_rng(0).permutation(60)[:35]
    assert score(GRID[kept], factors=GRID[kept])["factor_vae_score"] == 1.0


def test_a_constant_factor_is_left_out():
    factors = np.column_stack([np.full(60, 1), GRID])
    assert score(GRID, factors=factors, sizes=(2, *SIZES))["factor_vae_score"] == 1.0


def test_without_an_active_code_the_score_is_zero():
    zeros = {"factor_vae_score": 0.0, "factor_vae_score_train": 0.0, "factor_vae_active_codes": 0.0}
    assert score(0.001 * GRID) == zeros
    constant = np.full((60, 2), 0.1)  # a number whose mean over 60 images is not itself
    assert score(constant, prune_threshold=0.0) == zeros


def test_the_relative_threshold_keeps_its_meaning_when_codes_are_rescaled(full_representation):
    rep = full_representation("small", "noisy_dead")
    for scale in (1e-4, 1.0, 1e4):
        scores = score(
            scale * rep.codes,
            factors=rep.factors,
            sizes=rep.factor_sizes,
            prune_threshold=0.0,
            relative_prune_threshold=0.05,
        )
        assert (scores["factor_vae_score"], scores["factor_vae_active_codes"]) == (1.0, 4.0)


def test_active_codes_reach_both_thresholds():
    variance = np.square([0.0, 0.04, 0.05, 0.3, 2.0])
    active = active_codes(variance, threshold=0.05, relative_threshold=0.1)
    np.testing.assert_array_equal(active, [False, False, False, True, True])
    np.testing.assert_array_equal(
        active_codes(variance, threshold=0.05, relative_threshold=0.0), [False, False, True, True, True]
    )
    np.testing.assert_array_equal(
        active_codes(variance, threshold=0.0, relative_threshold=0.0), [False, True, True, True, True]
    )


def test_one_latent_names_one_factor_whatever_is_fixed():
    assert score(GRID[:, :1])["factor_vae_score"] == pytest.approx(1 / 3, abs=0.05)


def test_two_images_have_a_score():
    """Every group repeats one image, so all variances are 0 and the tie goes to the first code."""
    factors = np.array([[0, 0], [1, 1]])
    assert score(factors, factors=factors, sizes=(2, 2))["factor_vae_score"] == pytest.approx(1 / 2, abs=0.05)


def test_chunks_of_groups_do_not_change_what_a_perfect_code_scores(monkeypatch):
    monkeypatch.setattr(sampling, "VALUES_PER_CHUNK", 64 * 3 * 7)
    assert score(GRID, num_train=100, num_eval=50)["factor_vae_score"] == 1.0


@pytest.mark.parametrize(
    ("factors", "settings", "message"),
    [
        pytest.param(GRID * [1, 0, 0], {}, r"factor_vae_score needs at least 2 factor\(s\) .* got 1 of 3", id="one"),
        pytest.param(GRID, {"batch_size": 1}, "factor_vae_score needs batch_size >= 2, got 1", id="no variance"),
        pytest.param(GRID, {"num_train": 0}, "factor_vae_score needs num_train >= 1, got 0", id="no votes"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, message):
    with pytest.raises(ValueError, match=message):
        score(GRID, factors=factors, **settings)
