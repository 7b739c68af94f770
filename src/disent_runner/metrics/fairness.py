"""Unfairness: how far a factor that should not matter moves the prediction of another (Locatello et al. 2019b)."""

import math
from typing import Annotated

import numpy as np
from jaxtyping import Integer

from disent_runner.machine.ranges import Count, OneOf
from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.downstream import LEARNERS, fit_classifier
from disent_runner.metrics.estimators.sampling import draw_rows, draw_rows_with_value, rows_by_value
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_choice,
    require_labels,
    require_varying_factors,
)


@returns(
    Number("fairness", "lower"),
    Number("fairness_max", "lower"),
    Number("fairness_chance"),
    Number("fairness_accuracy", "higher"),
    Number("fairness_target", "lower", per_factor=True, of_all=False),
    Number("fairness_sensitive", "lower", per_factor=True, of_all=False),
)
def fairness(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Count = 10_000,
    num_test_per_value: Count = 100,
    classifier: Annotated[str, OneOf(*LEARNERS)] = "hist_gbt",
) -> dict[str, float]:
    """Mean unfairness in [0, 1) over pairs of a target and a sensitive factor: `fairness`, and less of it is better.

    A classifier learns the target from `num_train` codes; what `unfairness` says of its predictions for test images of
    each value of the sensitive factor is one of the means that `fairness_target_factor_<k>` (over sensitive factors),
    `fairness_sensitive_factor_<k>` (over targets) and `fairness` are made of; `fairness_max` is the worst pair.
    `fairness_accuracy` is the mean accuracy on the test images: a classifier that has learnt nothing can be fair.
    `fairness_chance` is `fairness` after the sensitive values were shuffled, so what so few test images leave of it
    where predictions have nothing to do with the sensitive factor.

    On a complete grid the `num_test_per_value` test images of each sensitive value have the other factors in common;
    on any other they are random ones of that value. They are not trained on, and fewer where they would be more than
    half of all. Factors with a single value are left out. `downstream.fit_classifier` says what the classifiers are.

    Raises:
        NotApplicable: fewer than two factors vary, or too few images to have one of each value twice.
        ValueError: an unknown classifier, or a number below 1.
    """
    rep = require_labels("fairness", rep)
    require_at_least("fairness", 1, num_train=num_train, num_test_per_value=num_test_per_value)
    require_choice("fairness", LEARNERS, classifier=classifier)
    columns = require_varying_factors("fairness", rep.factors, minimum=2)
    codes, factors = rep.codes.astype(np.float64), rep.factors[:, columns].astype(np.int64)
    test = draw_test_rows(factors, num_per_value=num_test_per_value, rng=rng)
    others = np.setdiff1d(np.arange(len(codes)), np.concatenate([rows.ravel() for rows in test]))
    train = others[draw_rows(len(others), num_train, rng)]
    seed = int(rng.integers(2**31))

    def predict(target: int) -> list[Integer[np.ndarray, "member value"]]:
        trained = fit_classifier(classifier, codes[train], factors[train, target], seed=seed)
        return [trained.predict(codes[rows.ravel()]).reshape(rows.shape) for rows in test]

    predictions = map_in_threads(predict, range(len(columns)))
    pairs = [(target, sensitive) for target, sensitive in np.ndindex(len(columns), len(columns)) if target != sensitive]
    unfair, chance, accuracy = np.zeros((3, len(columns), len(columns)))
    for target, sensitive in pairs:
        predicted = predictions[target][sensitive]
        unfair[target, sensitive] = unfairness(predicted)
        chance[target, sensitive] = unfairness(rng.permuted(predicted, axis=1))
        accuracy[target, sensitive] = (predicted == factors[test[sensitive], target]).mean()
    num_others = len(columns) - 1
    scores = {
        "fairness": float(unfair.sum()) / len(pairs),
        "fairness_max": float(unfair.max()),
        "fairness_chance": float(chance.sum()) / len(pairs),
        "fairness_accuracy": float(accuracy.sum()) / len(pairs),
    }
    for column, as_target, as_sensitive in zip(columns, unfair.sum(axis=1), unfair.sum(axis=0), strict=True):
        scores[f"fairness_target_factor_{column}"] = float(as_target) / num_others
        scores[f"fairness_sensitive_factor_{column}"] = float(as_sensitive) / num_others
    return scores


def unfairness(predictions: Integer[np.ndarray, "member value"]) -> float:
    """Mean over sensitive values s of the total variation distance between p(ŷ | s) and p(ŷ), in [0, 1).

    Predictions ŷ for as many members of each value; p(ŷ) is of all of them, as if each value were as frequent.
    """
    _, labels = np.unique(predictions, return_inverse=True)
    labels = labels.reshape(predictions.shape)
    given_value = np.stack([np.bincount(column, minlength=labels.max() + 1) for column in labels.T]) / len(labels)
    return float(np.abs(given_value - given_value.mean(axis=0)).sum(axis=1).mean()) / 2


def draw_test_rows(
    factors: Integer[np.ndarray, "image factor"], *, num_per_value: int, rng: np.random.Generator
) -> list[Integer[np.ndarray, "member value"]]:
    """For each factor, rows of `num_per_value` random images of each value it takes, at most half of all rows in all.

    Where every combination of the factors' values occurs, the rows of one member differ in this factor only: an
    intervention. Elsewhere the members are random images with that value.

    Raises:
        NotApplicable: fewer than two images per value of each factor.
    """
    values = [np.unique(column) for column in factors.T]
    num_rows, num_values = len(factors), sum(map(len, values))
    num_members = min(num_per_value, num_rows // (2 * num_values))
    if num_members == 0:
        raise NotApplicable(f"fairness needs {2 * num_values} images, two per value of each factor, got {num_rows}")
    sizes = [len(column_values) for column_values in values]
    if math.prod(sizes) <= num_rows:
        ranks = [
            np.searchsorted(column_values, column) for column_values, column in zip(values, factors.T, strict=True)
        ]
        combination = np.asarray(np.ravel_multi_index(ranks, sizes))
        if np.bincount(combination, minlength=math.prod(sizes)).all():
            return _intervene(combination, sizes, num_members, rng)
    groups = rows_by_value(factors)
    rows = []
    for factor, column_values in enumerate(values):
        value = np.broadcast_to(column_values, (num_members, len(column_values)))
        rows.append(draw_rows_with_value(groups, factor=np.full_like(value, factor), value=value, rng=rng))
    return rows


def _intervene(
    combination: Integer[np.ndarray, " image"], sizes: list[int], num_members: int, rng: np.random.Generator
) -> list[Integer[np.ndarray, "member value"]]:
    """For each factor, random images of random combinations in which it takes each of its values."""
    groups = rows_by_value(combination[:, None])
    rows = []
    for factor, size in enumerate(sizes):
        members = np.unravel_index(rng.choice(combination, size=(num_members, 1)), sizes)
        wanted = np.ravel_multi_index(
            np.broadcast_arrays(*members[:factor], np.arange(size), *members[factor + 1 :]), sizes
        )
        rows.append(draw_rows_with_value(groups, factor=np.zeros_like(wanted), value=wanted, rng=rng))
    return rows
