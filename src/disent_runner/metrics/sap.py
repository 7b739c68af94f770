"""SAP: how much better the best code predicts a factor than the second best (Kumar et al. 2018, section 3).

Each code by itself predicts each factor: the score of a pair is the accuracy of a linear classifier, or the squared
correlation where factors are continuous. The classifier is a one-vs-rest linear support vector machine.
"""

from functools import partial

import numpy as np
from jaxtyping import Float, Integer, Real

from disent_runner.machine.ranges import Count, Positive, Several
from disent_runner.metrics.estimators.linear_svm import accuracies
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)


@returns(
    Number("sap", "higher", per_factor=True),
    Number("sap_standardized", "higher"),
)
def sap(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Several = 10_000,
    num_test: Count = 5_000,
    continuous: bool = False,
    inverse_regularization: Positive = 0.01,
) -> dict[str, float]:
    """Separated attribute predictability in [0, 1]: `sap`, and `sap_factor_<k>` for each factor k it is the mean of.

    Trained and tested on different images drawn without replacement; `continuous` (squared correlations, no classifier)
    uses the training images only. See `sap_from_arrays`. The classifier's penalty makes its accuracy depend on offset
    and scale of the codes; `sap_standardized`, of codes standardised on the training images, does not.

    Raises:
        ValueError: no factor has more than one value, or a setting is too small.
    """
    rep = require_labels("sap", rep)
    require_at_least("sap", 1, num_train=num_train, num_test=num_test)
    train, test = draw_split(len(rep.codes), num_train=num_train, num_test=num_test, rng=rng)
    codes, new_codes, factors, new_factors = rep.codes[train], rep.codes[test], rep.factors[train], rep.factors[test]
    gaps = partial(_gaps, continuous=continuous, inverse_regularization=inverse_regularization)
    as_given = gaps(codes, factors, new_codes, new_factors)
    scores = {"sap": _mean(as_given)} | {f"sap_factor_{factor}": gap for factor, gap in as_given.items()}
    if not continuous:
        standardized = gaps(_standardize(codes, codes), factors, _standardize(new_codes, codes), new_factors)
        scores["sap_standardized"] = _mean(standardized)
    return scores


def sap_from_arrays(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    continuous: bool = False,
    inverse_regularization: float = 0.01,
) -> float:
    """Mean over factors of the gap in score between the two codes that predict it best, in [0, 1].

    The score is `accuracies`, or `squared_correlations` of the training images if `continuous`. A factor with a single
    value in training is left out. One code: its rival is a constant.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or the regularization is not positive.
    """
    arrays = (train_codes, train_factors, test_codes, test_factors)
    return _mean(_gaps(*arrays, continuous=continuous, inverse_regularization=inverse_regularization))


def squared_correlations(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"]
) -> Float[np.ndarray, "latent factor"]:
    """Squared Pearson correlation in [0, 1] of each code with each factor's value index; 0 for a constant code."""
    return (_standardize(codes, codes).T @ _standardize(factors, factors) / len(codes)) ** 2


def _standardize(columns: Real[np.ndarray, "image column"], train: Real[np.ndarray, "train column"]) -> np.ndarray:
    """Columns shifted and scaled to mean 0 and deviation 1 on the training images; one that is constant there is 0."""
    varies = train.min(axis=0) != train.max(axis=0)
    mean, deviation = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    return np.where(varies, columns - mean, 0.0) / np.where(varies, deviation, 1.0)


def _gaps(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    continuous: bool,
    inverse_regularization: float,
) -> dict[int, float]:
    """Gap of each factor that varies in training, by its column."""
    require_finite("sap", train_codes)
    require_finite("sap", test_codes)
    if not inverse_regularization > 0:
        raise ValueError(f"sap needs inverse_regularization > 0, got {inverse_regularization}")
    if train_codes.shape[1] == 1:
        train_codes, test_codes = (np.pad(codes, [(0, 0), (0, 1)]) for codes in (train_codes, test_codes))
    varying = require_varying_factors("sap", train_factors)
    train_factors, test_factors = train_factors[:, varying], test_factors[:, varying]
    if continuous:
        scores = squared_correlations(train_codes, train_factors)
    else:
        scores = accuracies(
            train_codes, train_factors, test_codes, test_factors, inverse_regularization=inverse_regularization
        )
    second, best = np.sort(scores, axis=0)[-2:]
    return dict(zip(varying.tolist(), (best - second).tolist(), strict=True))


def _mean(gaps: dict[int, float]) -> float:
    return sum(gaps.values()) / len(gaps)
