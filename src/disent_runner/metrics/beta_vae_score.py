"""β-VAE score: a linear classifier names the factor that pairs of images share (Higgins et al. 2017, section 3)."""

import warnings
from functools import partial
from typing import Annotated

import numpy as np
from jaxtyping import Float, Integer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from disent_runner.machine.ranges import Count, OneOf, Positive
from disent_runner.metrics.estimators.sampling import RowsByValue, chunk_sizes, draw_rows_with_value, rows_by_value
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)

SOLVERS = ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga")
"""Those of scikit-learn for several classes at once."""


@returns(
    Number("beta_vae_score", "higher"),
    Number("beta_vae_score_train"),
    Number("beta_vae_score_standardized", "higher"),
)
def beta_vae_score(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Count = 10_000,
    num_eval: Count = 5_000,
    batch_size: Count = 64,
    solver: Annotated[str, OneOf(*SOLVERS)] = "lbfgs",
    inverse_regularization: Positive = 1.0,
    max_iter: Count = 1_000,
) -> dict[str, float]:
    """Accuracy on new points, `beta_vae_score`, and on the classifier's own, `beta_vae_score_train`.

    A point is the mean of |code - code'| over `batch_size` pairs; its label is the factor whose value, that of a random
    image, both images of each pair have. The classifier's penalty makes the score depend on the scale of the codes;
    `beta_vae_score_standardized`, the accuracy on new points after standardising all points, does not. Factors with a
    single value are left out. The last three settings are the classifier's, see `classifier_accuracy`.

    Raises:
        ValueError: fewer than two factors vary, a setting is below 1, or all training points have one label.
    """
    rep = require_labels("beta_vae_score", rep)
    require_at_least("beta_vae_score", 1, num_train=num_train, num_eval=num_eval, batch_size=batch_size)
    factors = rep.factors[:, require_varying_factors("beta_vae_score", rep.factors, minimum=2)]
    groups = rows_by_value(factors)
    (train, train_labels), (test, test_labels) = (
        draw_points(rep.codes, factors, groups, num_points=num_points, batch_size=batch_size, rng=rng)
        for num_points in (num_train, num_eval)
    )
    fit = partial(classifier_accuracy, solver=solver, inverse_regularization=inverse_regularization, max_iter=max_iter)
    as_drawn = fit(train, train_labels, test, test_labels)
    standardized = fit(_standardize(train, train), train_labels, _standardize(test, train), test_labels)
    return {
        "beta_vae_score": as_drawn["test"],
        "beta_vae_score_train": as_drawn["train"],
        "beta_vae_score_standardized": standardized["test"],
    }


def classifier_accuracy(
    train_points: Float[np.ndarray, "train latent"],
    train_labels: Integer[np.ndarray, " train"],
    test_points: Float[np.ndarray, "test latent"],
    test_labels: Integer[np.ndarray, " test"],
    *,
    solver: str = "lbfgs",
    inverse_regularization: float = 1.0,
    max_iter: int = 1_000,
) -> dict[str, float]:
    """Accuracy in [0, 1] on `train` and `test` of multinomial logistic regression with an L2 penalty.

    scikit-learn's `LogisticRegression` with C = `inverse_regularization`, tol 1e-4 and an intercept. If `max_iter`
    iterations do not reach the tolerance, the last iterate of this convex problem is scored without a warning.

    Raises:
        ValueError: a point is not finite, or all training points have one label.
    """
    require_finite("beta_vae_score", train_points)
    require_finite("beta_vae_score", test_points)
    if (train_labels == train_labels[0]).all():
        raise ValueError(
            f"beta_vae_score needs training points of at least 2 factors, got only factor {train_labels[0]}"
            f" in {len(train_labels)} points; raise num_train"
        )
    classifier = LogisticRegression(
        C=inverse_regularization, solver=solver, tol=1e-4, fit_intercept=True, max_iter=max_iter
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(train_points, train_labels)
    return {
        "train": float(classifier.score(train_points, train_labels)),
        "test": float(classifier.score(test_points, test_labels)),
    }


def _standardize(
    points: Float[np.ndarray, "point latent"], train_points: Float[np.ndarray, "train latent"]
) -> Float[np.ndarray, "point latent"]:
    """Points shifted and scaled to mean 0 and deviation 1 on the training points; a constant code stays at 0."""
    deviation = train_points.std(axis=0)
    return (points - train_points.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def draw_points(
    codes: Float[np.ndarray, "image latent"],
    factors: Integer[np.ndarray, "image factor"],
    groups: RowsByValue,
    *,
    num_points: int,
    batch_size: int,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "point latent"], Integer[np.ndarray, " point"]]:
    """Mean absolute difference over pairs that share a factor, and the column of that factor."""
    points, labels = [], []
    for size in chunk_sizes(num_points, 2 * batch_size * codes.shape[1]):
        label = rng.integers(factors.shape[1], size=size)
        shared = np.broadcast_to(label, (batch_size, size))
        first = rng.integers(len(factors), size=shared.shape)
        second = draw_rows_with_value(groups, factor=shared, value=factors[first, shared], rng=rng)
        points.append(np.abs(codes[first] - codes[second]).mean(axis=0, dtype=np.float64))
        labels.append(label)
    return np.concatenate(points), np.concatenate(labels)
