import itertools

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from disent_runner.metrics.clustering_accuracy import clustering_accuracy, clustering_scores
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable

NAMES, SIZES = ("slant", "digit", "width"), (2, 4, 3)
FACTORS = np.array(list(itertools.product(*map(range, SIZES))))
DIGITS = FACTORS[:, 1]


def representation(clusters, *, num_clusters=4, factors=FACTORS, **fields):
    noise = np.random.default_rng(0).normal(size=(len(clusters), 2))
    codes = np.hstack([np.eye(num_clusters)[clusters], 10 + noise])  # the latter must not count
    return Representation(codes, factors, SIZES, factor_names=NAMES, **fields)


def score(rep, **settings):
    return clustering_accuracy(rep, rng=np.random.default_rng(0), **settings)


def by_enumeration(clusters, classes, num_clusters, num_classes):
    """The best of all injections, from the smaller set into the larger one."""
    counts = np.zeros((num_clusters, num_classes))
    np.add.at(counts, (clusters, classes), 1)
    counts = counts if num_clusters <= num_classes else counts.T
    ways = itertools.permutations(range(counts.shape[1]), counts.shape[0])
    return max(counts[range(len(way)), way].sum() for way in ways) / len(clusters)


@pytest.mark.parametrize(("num_clusters", "num_classes"), [(5, 5), (6, 3), (3, 6), (2, 2), (1, 4)])
@pytest.mark.parametrize("agreement", [0.0, 0.6])
def test_scores_are_those_of_enumeration_and_of_scikit_learn(num_clusters, num_classes, agreement):
    rng = np.random.default_rng([num_clusters, num_classes])
    classes = rng.integers(num_classes, size=200)
    agree = rng.random(200) < agreement
    clusters = np.where(agree, (classes + 1) % num_clusters, rng.integers(num_clusters, size=200))
    scores = clustering_scores(clusters, classes)
    best = by_enumeration(clusters, classes, num_clusters, num_classes)
    most = sum(np.bincount(classes[clusters == each]).max() for each in np.unique(clusters)) / 200
    assert scores["clustering_accuracy"] == pytest.approx(best)
    assert scores["clustering_purity"] == pytest.approx(most)
    assert scores["clustering_accuracy_chance"] == np.bincount(classes).max() / 200
    expected = normalized_mutual_info_score(classes, clusters, average_method="arithmetic")
    assert scores["normalized_mutual_information"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("clusters", "accuracy", "purity", "information"),
    [
        pytest.param(DIGITS, 1, 1, 1, id="the classes"),
        pytest.param(np.array([2, 0, 3, 1])[DIGITS], 1, 1, 1, id="in another order"),
        pytest.param(DIGITS // 2, 0.5, 0.5, np.log(2) / np.log(8**0.5), id="two classes in a cluster"),
        pytest.param(DIGITS * 0, 0.25, 0.25, 0, id="one cluster"),
        pytest.param(FACTORS[:, 0], 0.25, 0.25, 0, id="another factor"),
    ],
)
def test_scores_of_a_categorical_code_on_a_grid(clusters, accuracy, purity, information):
    scores = score(representation(clusters, categorical=(4, 2)))
    expected = {
        "clustering_accuracy": accuracy,
        "clustering_accuracy_chance": 0.25,
        "clustering_purity": purity,
        "normalized_mutual_information": information,
    }
    assert scores == pytest.approx(expected, abs=1e-12)


def test_more_clusters_than_classes_leave_some_unassigned():
    scores = score(representation(2 * DIGITS + FACTORS[:, 0], num_clusters=8), num_clusters=8, factor="digit")
    assert scores["clustering_accuracy"] == 0.5
    assert scores["clustering_purity"] == 1.0


def test_the_factor_is_the_first_with_as_many_values_or_the_one_named():
    rep = representation(FACTORS[:, 2])
    assert score(rep, num_clusters=3)["clustering_accuracy"] == 1.0
    assert score(rep, num_clusters=3, factor="width") == score(rep, num_clusters=3)
    assert score(rep, num_clusters=3, factor="slant")["clustering_accuracy_chance"] == 0.5


def test_only_the_label_of_the_classes_must_be_known():
    factors = FACTORS.copy()
    factors[:, 0] = UNKNOWN
    factors[::5, 1] = UNKNOWN
    wrong = np.where(factors[:, 1] == UNKNOWN, 0, DIGITS)
    assert score(representation(wrong, factors=factors, categorical=(4,)))["clustering_accuracy"] == 1.0


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        pytest.param({}, NotApplicable, "a categorical code, got none; set metric.clust", id="no code"),
        pytest.param(
            {"num_clusters": 5}, NotApplicable, r"5 values, got slant \(2\), digit \(4\), width \(3\); set", id="size"
        ),
        pytest.param({"num_clusters": 7}, ValueError, "num_clusters from 1 to 6 codes, got 7", id="too many"),
        pytest.param({"num_clusters": 0}, ValueError, "num_clusters from 1 to 6 codes, got 0", id="none"),
        pytest.param(
            {"num_clusters": 4, "factor": "hue"}, ValueError, "one of slant, digit, width, got hue", id="name"
        ),
    ],
)
def test_errors_name_the_metric_and_the_reason(settings, error, message):
    with pytest.raises(error, match=f"clustering_accuracy needs .*{message}"):
        score(representation(DIGITS), **settings)


def test_classes_must_be_known_and_differ():
    nothing = Representation(np.eye(3), np.zeros((3, 0), int), ())
    with pytest.raises(NotApplicable, match="a factor with 3 values, got no factor"):
        score(nothing, num_clusters=3)
    unlabelled = representation(DIGITS, factors=np.full_like(FACTORS, UNKNOWN))
    with pytest.raises(NotApplicable, match="clustering_accuracy needs at least 2 images whose"):
        score(unlabelled, num_clusters=4)
    with pytest.raises(NotApplicable, match=r"clustering_accuracy needs at least 1 factor\(s\) with more than one"):
        score(representation(DIGITS, factors=FACTORS * 0), num_clusters=4)
