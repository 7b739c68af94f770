import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from disent_runner.metrics.explicitness import explicitness, explicitness_from_arrays
from disent_runner.representations.representation import Representation

pytestmark = pytest.mark.slow  # many fits; `make test` runs them

SIZES = (3, 4, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
MANY = np.tile(GRID, (5, 1))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled")


def reference(arrays, oracle, grid, name, classifier, suffix):
    codes, factors = arrays(grid, name)
    train, test = slice(10_000), slice(10_000, None)
    scores = explicitness_from_arrays(codes[train], factors[train], codes[test], factors[test], classifier=classifier)
    assert scores["train"] == oracle(f"{grid}/{name}/explicitness_train{suffix}")
    assert scores["test"] == oracle(f"{grid}/{name}/explicitness_test{suffix}")


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize(("classifier", "suffix"), [("multinomial", ""), ("one_vs_rest", "_ovr")])
def test_explicitness_is_the_reference_library_s(name, classifier, suffix, arrays, oracle):
    reference(arrays, oracle, "small", name, classifier, suffix)


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize(("classifier", "suffix"), [("multinomial", ""), ("one_vs_rest", "_ovr")])
def test_explicitness_is_the_reference_library_s_on_dsprites(name, classifier, suffix, arrays, oracle):
    reference(arrays, oracle, "dsprites", name, classifier, suffix)


def test_areas_are_scikit_learn_s():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, size=(300, 1))
    codes = np.round(factors + rng.standard_normal((300, 2)), 1)  # rounded: with ties
    train, test = slice(200), slice(200, None)
    scaler = StandardScaler().fit(codes[train])
    model = LogisticRegression(max_iter=1_000).fit(scaler.transform(codes[train]), factors[train, 0])
    probability = model.predict_proba(scaler.transform(codes[test]))
    expected = np.mean([roc_auc_score(factors[test, 0] == value, probability[:, value]) for value in range(4)])
    scores = explicitness_from_arrays(codes[train], factors[train], codes[test], factors[test])
    assert scores["test"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("classifier", ["multinomial", "one_vs_rest", "binary"])
def test_one_hot_codes_are_perfectly_explicit(classifier):
    codes = np.hstack([np.eye(size)[values] for size, values in zip(SIZES, MANY.T, strict=True)])
    scores = explicitness_from_arrays(codes, MANY, codes, MANY, classifier=classifier)
    assert scores == pytest.approx({"train": 1.0, "test": 1.0})


def test_it_does_not_change_with_order_sign_scale_or_rotation_of_codes():
    codes = MANY + 0.5 * np.random.default_rng(0).standard_normal(MANY.shape)
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))
    plain = explicitness_from_arrays(codes, MANY, codes, MANY)["test"]
    scaled = codes[:, [2, 0, 1]] * [-1, 100, 0.01]
    assert explicitness_from_arrays(scaled, MANY, scaled, MANY)["test"] == pytest.approx(plain, abs=1e-4)
    turned = codes @ turn
    assert explicitness_from_arrays(turned, MANY, turned, MANY)["test"] == pytest.approx(plain, abs=0.01)


def test_codes_that_tell_nothing_are_at_chance():
    constant = np.ones((len(MANY), 2))
    assert explicitness_from_arrays(constant, MANY, constant, MANY)["test"] == pytest.approx(0.5)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        codes, factors = rng.standard_normal((6_000, 4)), rng.integers(0, 3, (6_000, 2))
        scores = explicitness_from_arrays(codes[:4_000], factors[:4_000], codes[4_000:], factors[4_000:])
        assert scores["test"] == pytest.approx(0.5, abs=0.03)  # 5 standard errors of a mean of areas


def test_a_value_that_one_set_lacks_does_not_count():
    train, test = np.array([[0], [1], [2]] * 20), np.array([[0], [1]] * 20)
    scores = explicitness_from_arrays(np.eye(3)[train[:, 0]], train, np.eye(3)[test[:, 0]], test)
    assert scores == pytest.approx({"train": 1.0, "test": 1.0})


def test_entry_reports_each_factor_with_chance_at_zero_beside():
    codes = np.hstack([np.eye(3)[MANY[:, 0]], np.eye(4)[MANY[:, 1]]])
    scores = explicitness(Representation(codes, MANY, SIZES), rng=np.random.default_rng(0))
    assert scores["explicitness_factor_0"] == scores["explicitness_factor_1"] == pytest.approx(1.0)
    assert scores["explicitness_scaled"] == pytest.approx(2 * scores["explicitness"] - 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier": "svm"}, "explicitness needs classifier to be one of multinomial, .*, got 'svm'"),
        ({"num_test": 0}, "explicitness needs num_test >= 1, got 0"),
        ({"max_iter": 0}, "explicitness needs max_iter >= 1, got 0"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        explicitness(Representation(MANY * 1.0, MANY, SIZES), rng=np.random.default_rng(0), **changes)
