"""Accuracy of factors from parts of a code: does each tell its own factors, and not the others'? (Reed et al. 2014)"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from disent_runner.machine.ranges import Count, SomeNames
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_part,
    require_varying_factors,
)


@returns(
    Number("part_accuracy", "higher", per_factor=True, sizes="parts"), Number("part_accuracy_gap", per_factor=True)
)
def part_accuracy(
    rep: Representation,
    *,
    rng: np.random.Generator,
    parts: SomeNames = ("m", "h"),
    num_train: Count = 5_000,
    num_test: Count = 5_000,
) -> dict[str, float]:
    """Accuracy in [0, 1] on `num_test` images of logistic regression on one part of standardised codes.

    `part_accuracy_<part>_factor_<k>`, and `part_accuracy_<part>`, their mean over factors. For a part that is not meant
    to tell of a factor, lower is better. `part_accuracy_gap_factor_<k>` is that of the first part less that of the
    last, and `part_accuracy_gap` their mean. Where there are fewer images, train and test share them as `draw_split`
    says. Factors with a single value are left out.

    Raises:
        NotApplicable: codes that are one whole, or no factor with more than one value.
        ValueError: no such part, or a number below 1.
    """
    rep = require_labels("part_accuracy", rep)
    require_at_least("part_accuracy", 1, num_train=num_train, num_test=num_test)
    require_finite("part_accuracy", rep.codes)
    places = {part: require_part("part_accuracy", rep, part) for part in parts}
    columns = require_varying_factors("part_accuracy", rep.factors)
    train, test = draw_split(len(rep.codes), num_train=num_train, num_test=num_test, rng=rng)
    scores: dict[str, float] = {}
    for part, place in places.items():
        codes = rep.codes[:, place].astype(np.float64)
        of_factor = {
            f"part_accuracy_{part}_factor_{column}": accuracy(
                codes[train], rep.factors[train, column], codes[test], rep.factors[test, column]
            )
            for column in columns
        }
        scores |= {f"part_accuracy_{part}": sum(of_factor.values()) / len(of_factor)} | of_factor
    for end in ("", *(f"_factor_{column}" for column in columns)):
        scores[f"part_accuracy_gap{end}"] = (
            scores[f"part_accuracy_{parts[0]}{end}"] - scores[f"part_accuracy_{parts[-1]}{end}"]
        )
    return scores


def accuracy(
    train_codes: np.ndarray, train_labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> float:
    """Share of test labels that logistic regression (L2, C = 1) on standardised codes says."""
    if (train_labels == train_labels[0]).all():
        return float((test_labels == train_labels[0]).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a constant code, or many of them: what there is counts
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(train_codes, train_labels)
    return float((classifier.predict(test_codes) == test_labels).mean())
