import itertools
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold

from disent_runner.metrics.downstream import LEARNERS, downstream, downstream_from_arrays, fit_classifier
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (2, 3)
FACTORS = np.tile(np.array(list(itertools.product(*map(range, SIZES)))), (100, 1))  # 600 images
TREES = ("gbt", "hist_gbt")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]  # many fits


def score(codes, *, factors=FACTORS, sizes=SIZES, seed=0, **settings: Any):
    rep = Representation(np.asarray(codes, dtype=float), factors, sizes)
    chosen = {"train_sizes": [100], "num_test": 300, "learners": ["hist_gbt"]} | settings
    return downstream(rep, rng=np.random.default_rng(seed), **chosen)


@pytest.mark.parametrize("learner", LEARNERS)
def test_one_code_per_factor_in_any_order_sign_and_scale_is_learnt(learner):
    scores = score(FACTORS[:, ::-1] * [3.0, -0.2] + 7.0, learners=[learner], train_sizes=[3, 40, 50])
    assert scores[f"downstream_{learner}_50"] == 1.0
    assert scores["downstream"] == 1.0
    few = scores[f"downstream_{learner}_3"]
    assert few < 1
    assert scores[f"downstream_{learner}_sample_efficiency_3"] == few
    assert np.mean([scores[f"downstream_{learner}_3_factor_{k}"] for k in range(2)]) == pytest.approx(few)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_constant_code_is_worth_the_most_frequent_label(learner):
    labels = np.repeat([0, 1, 2], [60, 30, 10])[:, None]
    codes = np.full((100, 2), 0.1)
    rows = np.random.default_rng(0).permutation(100)
    arrays = codes, labels[rows], codes, labels
    accuracy = downstream_from_arrays(*arrays, train_sizes=[100], learners=[learner], rng=np.random.default_rng(0))
    np.testing.assert_array_equal(accuracy[learner, 100], [0.6])


@pytest.mark.parametrize("learner", ["logistic", "hist_gbt"])
def test_noise_is_worth_chance(learner):
    factors = np.random.default_rng(0).integers(0, 4, size=(2_000, 2))
    for seed in range(3):
        codes = np.random.default_rng(10 + seed).standard_normal((2_000, 3))
        scores = score(codes, factors=factors, sizes=(4, 4), seed=seed, learners=[learner], num_test=1_500)
        assert scores["downstream"] == pytest.approx(1 / 4, abs=0.04)  # 3,000 answers: a deviation of 0.008


def test_a_factor_that_the_codes_lack_is_at_chance_and_the_others_are_not():
    scores = score(FACTORS[:, :1])
    assert scores["downstream_hist_gbt_100_factor_0"] == 1.0
    assert scores["downstream_hist_gbt_100_factor_1"] == pytest.approx(1 / 3, abs=0.1)


def test_logistic_regression_does_not_see_a_rotation_and_trees_do():
    rotation = np.array([[1, -1], [1, 1]]) / 2**0.5
    lost = {"logistic": [], "hist_gbt": []}
    for learner, seed in [("logistic", 0), ("hist_gbt", 0), ("hist_gbt", 1), ("hist_gbt", 2)]:
        codes = FACTORS + 0.2 * np.random.default_rng(seed).standard_normal(FACTORS.shape)
        aligned, rotated = (
            score(each, seed=seed, learners=[learner], train_sizes=[40])["downstream"]
            for each in (codes, codes @ rotation)
        )
        lost[learner].append(aligned - rotated)
    assert lost["logistic"] == pytest.approx([0], abs=0.02)
    assert np.mean(lost["hist_gbt"]) > 0.03


@pytest.mark.parametrize("learner", TREES)
def test_trees_see_the_order_of_codes_only(learner):
    noisy = FACTORS + 0.5 * np.random.default_rng(0).standard_normal(FACTORS.shape)
    labels = FACTORS[:100, 1]
    first, second = (
        fit_classifier(learner, codes[:100], labels, seed=0).predict(codes[100:])
        for codes in (noisy, noisy * [8.0, 2.0**-5])  # powers of two change no rounding of a threshold
    )
    np.testing.assert_array_equal(first, second)
    other = noisy * [1e-8, 1e42] + [0.01, 0.0]
    third = fit_classifier(learner, other[:100], labels, seed=0).predict(other[100:])
    assert (third == first).mean() > 0.99  # other powers of ten do, and so does an offset


def test_the_logistic_penalty_is_the_one_that_cross_validation_chooses():
    """As `LogisticRegressionCV(Cs=10, cv=KFold(5))`, whose arguments change from version to version."""
    codes = FACTORS[:200] + np.random.default_rng(0).standard_normal((200, 2))
    labels = FACTORS[:200, 1]
    ours = fit_classifier("logistic", codes, labels, seed=0)
    search = GridSearchCV(LogisticRegression(max_iter=1_000), {"C": np.logspace(-4, 4, 10)}, cv=KFold(5))
    search.fit(codes, labels)
    assert isinstance(ours, LogisticRegression)
    assert ours.get_params()["C"] == search.best_params_["C"]
    np.testing.assert_allclose(ours.predict_proba(codes), search.predict_proba(codes), atol=1e-3)


def test_gbt_is_scikit_learn_s_with_its_defaults_and_hist_gbt_is_close():
    codes = FACTORS + 0.4 * np.random.default_rng(0).standard_normal(FACTORS.shape)
    train, test, labels = codes[:300], codes[300:], FACTORS[:, 1]
    expected = GradientBoostingClassifier(random_state=5).fit(train, labels[:300]).predict(test)
    exact, binned = (fit_classifier(name, train, labels[:300], seed=5).predict(test) for name in TREES)
    np.testing.assert_array_equal(exact, expected)
    assert (exact == binned).mean() > 0.9


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("labels", [[3], [0, 1], [5, 5, 5], [0, 0, 0, 0, 1], range(5), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]])
def test_few_labels_of_which_folds_lack_some_are_learnt(learner, labels):
    labels = np.array(labels)
    classifier = fit_classifier(learner, labels[:, None] + 0.0, labels, seed=0)
    predicted = classifier.predict(labels[:, None] + 0.0)
    assert set(predicted) <= set(labels)
    if learner != "logistic":
        np.testing.assert_array_equal(predicted, labels)


def test_the_images_of_a_size_are_the_first_of_the_next_and_no_test_image_is_trained_on():
    """Each image its own code and factor value: what was trained on is known, and nothing else."""
    factors = np.random.default_rng(0).permutation(16)[:, None]
    codes, learners = factors.astype(float), ["hist_gbt"]
    scores = score(codes, factors=factors, sizes=(16,), train_sizes=[4, 8], num_test=8, learners=learners)
    assert scores["downstream_hist_gbt_8"] == scores["downstream_hist_gbt_4"] == 0.0
    assert "downstream_hist_gbt_sample_efficiency_4" not in scores  # of nothing
    arrays = codes, factors, codes, factors
    found = downstream_from_arrays(*arrays, train_sizes=[4, 8], learners=learners, rng=np.random.default_rng(0))
    assert [found["hist_gbt", size][0] for size in (4, 8)] == [4 / 16, 8 / 16]


def test_sample_efficiency_is_the_fraction_of_the_accuracy_at_the_largest_size():
    codes = FACTORS + 0.6 * np.random.default_rng(0).standard_normal(FACTORS.shape)
    learners = ["gbt", "hist_gbt"]
    scores = score(codes, train_sizes=[40, 10], learners=learners)
    for learner in learners:
        fraction = scores[f"downstream_{learner}_10"] / scores[f"downstream_{learner}_40"]
        assert scores[f"downstream_{learner}_sample_efficiency_10"] == pytest.approx(fraction)
    headline = np.mean([scores[f"downstream_{learner}_40"] for learner in learners])
    assert scores["downstream"] == pytest.approx(headline)


def test_sizes_that_the_data_do_not_have_are_left_out():
    scores = score(FACTORS, train_sizes=[10, 1_000, 10_000], num_test=5_000)  # 400 to train on, 200 to test
    assert {key for key in scores if "factor" not in key} == {"downstream", "downstream_hist_gbt_10"}
    with pytest.raises(NotApplicable, match="downstream needs 500 images to train on, got 400 of 600"):
        score(FACTORS, train_sizes=[1_000, 500], num_test=500)


def test_a_factor_with_one_value_is_left_out_and_columns_keep_their_numbers():
    factors = np.column_stack([np.full(len(FACTORS), 1), FACTORS])
    scores = score(FACTORS, factors=factors, sizes=(2, *SIZES))
    assert scores["downstream"] == 1.0
    assert {f"downstream_hist_gbt_100_factor_{k}" for k in (1, 2)} <= scores.keys()
    assert "downstream_hist_gbt_100_factor_0" not in scores


def test_images_are_drawn_from_the_given_generator():
    codes = FACTORS + np.random.default_rng(0).standard_normal(FACTORS.shape)
    first, again, other = (score(codes, seed=seed, train_sizes=[20]) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("factors", "settings", "message"),
    [
        pytest.param(FACTORS * 0, {}, r"downstream needs at least 1 factor\(s\) .* got 0 of 2", id="constant factors"),
        pytest.param(FACTORS, {"learners": ["svm"]}, "logistic, gbt, hist_gbt, got 'svm'", id="learner"),
        pytest.param(FACTORS, {"learners": []}, "downstream needs num_learners >= 1, got 0", id="no learner"),
        pytest.param(FACTORS, {"train_sizes": []}, "downstream needs num_train_sizes >= 1, got 0", id="no size"),
        pytest.param(FACTORS, {"train_sizes": [0, 10]}, "each of train_sizes >= 1, got 0", id="no image"),
        pytest.param(FACTORS, {"num_test": 0}, "downstream needs num_test >= 1, got 0", id="no test"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, message):
    with pytest.raises(ValueError, match=message):
        score(FACTORS, factors=factors, **settings)


def test_codes_that_are_not_finite_are_refused():
    codes = np.where(FACTORS > 1, np.nan, FACTORS)
    with pytest.raises(ValueError, match="downstream needs finite codes"):
        downstream_from_arrays(
            codes, FACTORS, codes, FACTORS, train_sizes=[10], learners=["gbt"], rng=np.random.default_rng(0)
        )
