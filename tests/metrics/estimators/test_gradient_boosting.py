import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from disent_runner.metrics.estimators import gradient_boosting
from disent_runner.metrics.estimators.gradient_boosting import boost

pytestmark = pytest.mark.slow  # a hundred stages of trees


def test_trees_are_scikit_learn_s():
    rng = np.random.default_rng(1)
    factors = rng.integers(0, [3, 4], size=(400, 2))
    codes = np.hstack([factors + 0.4 * rng.standard_normal(factors.shape), rng.standard_normal((400, 2))])
    train, test = slice(0, 300), slice(300, 400)
    values = [(column[train], column[test]) for column in factors.T]
    for fit, (seen, unseen) in zip(boost(codes[train], codes[test], values, rng=rng), values, strict=True):
        model = GradientBoostingClassifier(random_state=0).fit(codes[train], seen)
        np.testing.assert_allclose(fit.importance, model.feature_importances_, atol=0.01)  # ties
        assert fit.importance.sum() == pytest.approx(1)
        assert fit.train == pytest.approx(model.score(codes[train], seen), abs=0.01)
        assert fit.test == pytest.approx(model.score(codes[test], unseen), abs=0.021)  # ties: two images of a hundred


def test_two_codes_that_tell_only_together_are_found():
    """Exclusive or: no first split lowers the sum of squares, and scikit-learn's trees take one all the same."""
    codes = np.tile([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], (5, 1))
    values = (codes.sum(axis=1) % 2).astype(np.int64)
    (fit,) = boost(codes, codes, [(values, values)], rng=np.random.default_rng(0))
    model = GradientBoostingClassifier(random_state=0).fit(codes, values)
    assert model.score(codes, values) == fit.train == fit.test == 1.0


def test_images_between_two_codes_belong_to_the_nearer_one_and_half_way_to_the_smaller():
    codes, values = np.repeat([[0.0], [1.0]], 10, axis=0), np.repeat([0, 1], 10)
    between = np.array([[-1.0], [0.25], [0.5], [0.75], [2.0]])
    truth = np.array([0, 0, 0, 1, 1])
    (fit,) = boost(codes, between, [(values, truth)], rng=np.random.default_rng(0))
    assert fit.test == GradientBoostingClassifier(random_state=0).fit(codes, values).score(between, truth) == 1.0


def test_codes_that_are_constant_tell_nothing():
    values = np.arange(30) % 3
    (fit,) = boost(np.ones((30, 2)), np.ones((30, 2)), [(values, values)], rng=np.random.default_rng(0))
    assert fit.importance.tolist() == [0, 0]
    assert fit.test == pytest.approx(1 / 3)


def test_a_tree_has_the_depth_and_the_leaves_of_scikit_learn_s(monkeypatch):
    """After one stage, on codes without ties."""
    monkeypatch.setattr(gradient_boosting, "NUM_STAGES", 1)
    rng = np.random.default_rng(2)
    codes, values = rng.standard_normal((500, 3)), rng.integers(0, 3, size=500)
    train, test = slice(0, 400), slice(400, 500)
    (fit,) = boost(codes[train], codes[test], [(values[train], values[test])], rng=rng)
    model = GradientBoostingClassifier(n_estimators=1, random_state=0).fit(codes[train], values[train])
    np.testing.assert_allclose(fit.importance, model.feature_importances_, atol=1e-9)
    assert fit.train == model.score(codes[train], values[train])
    assert fit.test == model.score(codes[test], values[test])
