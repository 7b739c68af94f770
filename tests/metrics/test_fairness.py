import itertools
from typing import Any

import numpy as np
import pytest

from disent_runner.metrics.downstream import LEARNERS
from disent_runner.metrics.fairness import draw_test_rows, fairness, unfairness
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (2, 3, 4)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
FACTORS = np.tile(GRID, (25, 1))  # 600 images
MEAN = ("fairness", "fairness_max", "fairness_chance")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]  # many fits


def score(codes, *, factors=FACTORS, sizes=SIZES, seed=0, **settings: Any):
    rep = Representation(np.asarray(codes, dtype=float), factors, sizes)
    return fairness(rep, rng=np.random.default_rng(seed), **settings)


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        pytest.param([[0, 1, 2, 3]] * 5, 3 / 4, id="the sensitive value itself"),
        pytest.param([[4, 4, 4], [7, 7, 7]], 0.0, id="the same for all values"),
        pytest.param([[0, 1], [1, 0]], 0.0, id="in another order"),
        pytest.param([[0, 0], [0, 1]], 1 / 4, id="one of two members differs"),
        pytest.param([[9, 9, 2]], (1 / 3 + 1 / 3 + 2 / 3) / 3, id="one member"),
        pytest.param([[3], [5]], 0.0, id="one value"),
    ],
)
def test_unfairness_is_a_mean_of_total_variation_distances(predictions, expected):
    assert unfairness(np.array(predictions)) == pytest.approx(expected, abs=1e-15)


def test_unfairness_is_the_largest_difference_in_probability_of_any_event():
    """The definition of total variation, over all events."""
    predictions = np.random.default_rng(0).integers(0, 4, size=(30, 5))
    events = [list(event) for size in range(5) for event in itertools.combinations(range(4), size)]
    differences = [
        max(np.isin(of_value, event).mean() - np.isin(predictions, event).mean() for event in events)
        for of_value in predictions.T
    ]
    assert unfairness(predictions) == pytest.approx(np.mean(differences), abs=1e-12)


@pytest.mark.parametrize("classifier", LEARNERS)
def test_one_code_per_factor_in_any_order_sign_and_scale_is_fair(classifier):
    scores = score(FACTORS[:, [2, 0, 1]] * [3.0, -2.0, 0.1] + 7.0, classifier=classifier, num_train=100)
    assert [scores[key] for key in MEAN] == [0.0, 0.0, 0.0]
    assert scores["fairness_accuracy"] == 1.0


def test_duplicates_and_constant_codes_beside_perfect_ones_change_nothing():
    scores = score(np.hstack([FACTORS, -2.0 * FACTORS, np.full((len(FACTORS), 2), 0.1)]))
    assert (scores["fairness"], scores["fairness_accuracy"]) == (0.0, 1.0)


def test_a_code_that_tells_nothing_is_fair_and_useless():
    scores = score(np.zeros((len(FACTORS), 2)))
    assert scores["fairness"] == scores["fairness_chance"] == 0.0
    assert scores["fairness_accuracy"] < 0.6


@pytest.mark.parametrize("seed", range(3))
def test_a_code_that_is_both_of_two_factors_is_unfair_by_a_quarter(seed):
    """The code is y and s: it predicts itself, which is y where s = 1 and 0 where s = 0, for either as the target."""
    factors = np.random.default_rng(seed).permutation(np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (500, 1)))
    scores = score(factors.min(axis=1)[:, None], factors=factors, sizes=(2, 2), seed=seed, num_test_per_value=200)
    assert scores["fairness"] == pytest.approx(1 / 4, abs=0.06)  # |p(y = 1) - 0| / 2 of 200 images: deviation 0.018
    assert scores["fairness_accuracy"] == pytest.approx(3 / 4, abs=0.06)


def test_what_is_unfair_towards_a_factor_need_not_be_so_of_it():
    """Codes y·s and s: y is known where s = 1 and a guess elsewhere; s is known whatever y is."""
    factors = np.random.default_rng(0).permutation(np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (500, 1)))
    codes = np.column_stack([factors.min(axis=1), factors[:, 1]])
    scores = score(codes, factors=factors, sizes=(2, 2), num_test_per_value=200)
    for key in ("target_factor_0", "sensitive_factor_1"):
        assert scores[f"fairness_{key}"] == pytest.approx(1 / 4, abs=0.06)
    for key in ("target_factor_1", "sensitive_factor_0"):
        assert scores[f"fairness_{key}"] == pytest.approx(0, abs=0.06)


def test_predictions_that_follow_the_sensitive_factor_are_at_the_upper_bound():
    """Target and sensitive factor the same but for names: each value predicts itself, 1 - 1 / S."""
    factors = np.repeat(np.arange(5), 100)[:, None] * [1, 1]
    scores = score(factors[:, :1], factors=factors, sizes=(5, 5), num_test_per_value=20)
    assert scores["fairness"] == pytest.approx(4 / 5)
    assert scores["fairness_chance"] < 0.3


@pytest.mark.parametrize("complete", [True, False])
def test_noise_scores_what_the_number_of_test_images_leaves(complete):
    rng = np.random.default_rng(0)
    factors = np.tile(GRID, (100, 1))
    if not complete:
        factors = factors[~(factors == 0).all(axis=1)]
    for seed in range(3):
        scores = score(rng.standard_normal((len(factors), 3)), factors=factors, seed=seed, num_train=200)
        assert scores["fairness"] == pytest.approx(scores["fairness_chance"], abs=0.04)
        assert 0.02 < scores["fairness_chance"] < 0.2


def test_a_rotation_is_less_fair():
    codes = FACTORS - FACTORS.mean(axis=0)
    angle = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    noise = 0.2 * np.random.default_rng(0).standard_normal(codes.shape)
    aligned, rotated = score(codes + noise), score((codes + noise) @ angle)
    assert aligned["fairness"] < rotated["fairness"]


@pytest.mark.parametrize("repeats", [1, 25])
def test_on_a_complete_grid_the_members_of_a_row_differ_in_the_sensitive_factor_only(repeats):
    factors = np.random.default_rng(0).permutation(np.tile(GRID, (repeats, 1)))
    for sensitive, rows in enumerate(draw_test_rows(factors, num_per_value=100, rng=np.random.default_rng(1))):
        assert rows.shape == (len(factors) // (2 * 9), SIZES[sensitive])
        values = factors[rows]
        np.testing.assert_array_equal(values[:, :, sensitive], np.tile(np.arange(SIZES[sensitive]), (len(rows), 1)))
        others = np.delete(values, sensitive, axis=2)
        np.testing.assert_array_equal(others, np.broadcast_to(others[:, :1], others.shape))
        assert len(rows) == 1 or len(np.unique(others[:, 0], axis=0)) > 1


def test_on_an_incomplete_grid_the_members_have_the_sensitive_value():
    kept = FACTORS[(FACTORS != [1, 2, 3]).any(axis=1)] * [1, 1, 2]  # and values that do not occur
    for sensitive, rows in enumerate(draw_test_rows(kept, num_per_value=5, rng=np.random.default_rng(1))):
        values = np.unique(kept[:, sensitive])
        np.testing.assert_array_equal(kept[rows, sensitive], np.tile(values, (5, 1)))


@pytest.mark.parametrize("num_images", [40, 600])
def test_no_test_image_is_trained_on(num_images, monkeypatch):
    trained: list[float] = []
    tested: list[float] = []

    class Recorder:
        def predict(self, codes):
            tested.extend(codes[:, 0])
            return np.zeros(len(codes), dtype=int)

    def record(_, codes, labels, *, seed):
        trained.extend(codes[:, 0])
        assert len(codes) == len(labels)
        return Recorder()

    monkeypatch.setattr("disent_runner.metrics.fairness.fit_classifier", record)
    score(np.arange(num_images)[:, None], factors=FACTORS[:num_images])  # a code for each image: which one is known
    assert len(set(trained)) >= num_images / 2
    assert set(trained).isdisjoint(tested)
    assert len(set(trained) | set(tested)) == num_images


def test_pairs_are_averaged_over_targets_and_sensitive_factors():
    codes = FACTORS + 0.5 * np.random.default_rng(0).standard_normal(FACTORS.shape)
    factors = np.column_stack([np.full(len(FACTORS), 1), FACTORS])
    scores = score(codes, factors=factors, sizes=(2, *SIZES))
    for role in ("target", "sensitive"):
        each = [scores[f"fairness_{role}_factor_{k}"] for k in (1, 2, 3)]  # column 0 does not vary
        assert np.mean(each) == pytest.approx(scores["fairness"])
        assert f"fairness_{role}_factor_0" not in scores
    assert scores["fairness"] < scores["fairness_max"] < 1


def test_images_are_drawn_from_the_given_generator():
    codes = FACTORS + np.random.default_rng(0).standard_normal(FACTORS.shape)
    first, again, other = (score(codes, seed=seed, num_train=50) for seed in (0, 0, 1))
    assert first == again != other


def test_too_few_images_are_said():
    with pytest.raises(NotApplicable, match="fairness needs 18 images, two per value of each factor, got 17"):
        score(GRID[:17], factors=GRID[7:])
    assert score(np.tile([[0.0], [1.0]], (4, 1)), factors=np.tile([[0, 0], [1, 1]], (4, 1)), sizes=(2, 2))["fairness"]


@pytest.mark.parametrize(
    ("factors", "settings", "message"),
    [
        pytest.param(FACTORS * [1, 0, 0], {}, r"fairness needs at least 2 factor\(s\) .* got 1 of 3", id="one factor"),
        pytest.param(FACTORS, {"classifier": "svm"}, "logistic, gbt, hist_gbt, got 'svm'", id="classifier"),
        pytest.param(FACTORS, {"num_train": 0}, "fairness needs num_train >= 1, got 0", id="no training"),
        pytest.param(FACTORS, {"num_test_per_value": 0}, "fairness needs num_test_per_value >= 1, got 0", id="no test"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, message):
    with pytest.raises(ValueError, match=message):
        score(FACTORS, factors=factors, **settings)
