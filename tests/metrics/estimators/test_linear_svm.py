import itertools

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from disent_runner.metrics.estimators.linear_svm import _loss, _sort, accuracies


def machine(cost):
    return LinearSVC(C=cost, class_weight="balanced", dual=False, tol=1e-12, max_iter=10_000)  # pyright: ignore


def test_prefix_sums_give_the_loss_and_its_gradient_image_by_image(rng):
    """½ (slope² + intercept²) + Σ cost · max(0, 1 ∓ line)² for the class and the rest, of classes 0 to 2 and 3 to 4."""
    code, classes = rng.standard_normal(50), rng.integers([0, 3], [3, 5], size=(50, 2))
    costs, lines = rng.uniform(0.1, 2, size=(2, 5)), rng.standard_normal((5, 2))
    loss = _loss(lines, _sort(code, classes, 5), costs)
    for label, (class_cost, rest_cost) in enumerate(costs.T):
        sign = np.where((classes == label).any(axis=1), 1.0, -1.0)
        points = np.stack([code, np.ones(50)])
        hinge = np.maximum(0, 1 - sign * (lines[label] @ points))
        cost = np.where(sign > 0, class_cost, rest_cost)
        assert loss.value[label] == pytest.approx(np.square(lines[label]).sum() / 2 + cost @ hinge**2)
        np.testing.assert_allclose(loss.gradient[label], lines[label] - 2 * points @ (cost * sign * hinge))
        hessian = np.eye(2) + 2 * (points * cost * (hinge > 0)) @ points.T
        np.testing.assert_allclose(loss.hessian[label], hessian)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("num_values", [2, 3, 6])
def test_thresholds_are_those_of_a_linear_support_vector_machine(num_values, scale):
    rng = np.random.default_rng(num_values)
    labels = (
        rng.integers(0, num_values, size=(500, 1)) ** 2
    )  # values need be neither next to each other nor equally many
    codes = scale * (labels * [[1.0, 0.1, -0.3]] + rng.standard_normal((500, 3)) + 0.5)
    points = np.linspace(codes.min(axis=0), codes.max(axis=0), 10_001)
    for code, cost in itertools.product(range(3), (0.001, 0.01, 1.0)):
        predicted = np.asarray(machine(cost).fit(codes[:, [code]], labels[:, 0]).predict(points[:, [code]]))
        agreement = accuracies(
            codes[:, [code]], labels, points[:, [code]], predicted.reshape(-1, 1), inverse_regularization=cost
        )
        assert agreement >= 1 - num_values / 10_001  # one point at each threshold may fall to either side


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e6, 1e12, 1e30])
def test_codes_of_any_offset_and_scale_have_an_accuracy(scale):
    labels = np.arange(3)[:, None].repeat(100, axis=0)
    constant, spread = np.full((300, 1), scale), scale * (labels - 1.0)
    guess, best = accuracies(np.hstack([constant, spread]), labels, np.hstack([constant, spread]), labels)[:, 0]
    assert guess == pytest.approx(1 / 3)
    assert best == pytest.approx(1.0 if scale >= 1 else 1 / 3)  # the penalty leaves faint codes no slope


def test_factors_scored_together_have_the_accuracies_that_each_has_alone(rng):
    labels = rng.integers(0, [2, 3, 5], size=(300, 3))
    codes = labels[:, :2] + rng.standard_normal((300, 2))
    together = accuracies(codes[:200], labels[:200], codes[200:], labels[200:])
    for factor in range(3):
        column = labels[:, [factor]]
        alone = accuracies(codes[:200], column[:200], codes[200:], column[200:])
        np.testing.assert_array_equal(together[:, [factor]], alone)
