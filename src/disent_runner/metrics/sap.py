"""SAP: how much better the best code predicts a factor than the second best (Kumar et al. 2018, section 3).

Each code by itself predicts each factor: the score of a pair is the accuracy of a linear classifier, or the squared
correlation where factors are continuous. The classifier is a one-vs-rest linear support vector machine. The images of a
class that lie within its margin are those on one side of a threshold, so that prefix sums of the sorted code give loss,
gradient and Hessian of any line, and Newton's method reaches the minimum in a few steps that touch no image. That takes
a tenth of the time of scikit-learn, whose solvers approach the same minimum.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from disent_runner.metrics.requirements import require_at_least, require_finite, require_labels, require_varying_factors
from disent_runner.metrics.sampling import draw_split
from disent_runner.representation import Representation

TOLERANCE = 1e-12  # of the last step's decrease, as a fraction of the loss of a classifier that knows nothing
MAX_STEPS = 100
BETTER: dict[str, str] = {"sap": "higher", "sap_standardized": "higher"}


def sap(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: int = 10_000,
    num_test: int = 5_000,
    continuous: bool = False,
    inverse_regularization: float = 0.01,
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


def accuracies(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    inverse_regularization: float = 0.01,
) -> Float[np.ndarray, "latent factor"]:
    """Share of test images whose factor value one code by itself tells, in [0, 1].

    By the minimum of what scikit-learn's `LinearSVC(C=inverse_regularization, class_weight="balanced")` minimises
    (squared hinge, L2 penalty on slope and intercept, one value against the rest), which both of its solvers approach.
    Each factor must have two values or more in training; one it lacks there is never predicted.
    """
    values, labels = zip(*(np.unique(column, return_inverse=True) for column in train_factors.T), strict=True)
    sizes = [len(column) for column in values]
    first = np.cumsum([0, *sizes])
    classes = np.stack(labels, axis=1) + first[:-1]
    costs = inverse_regularization * _costs(np.bincount(classes.ravel()), np.repeat(sizes, sizes), len(classes))
    accuracy = np.empty((train_codes.shape[1], len(sizes)))
    for code in range(len(accuracy)):
        slope, intercept = _fit(train_codes[:, code].astype(np.float64), classes, costs).T
        for factor, size in enumerate(sizes):
            own = slice(first[factor], first[factor] + size)
            decision = np.multiply.outer(test_codes[:, code], slope[own]) + intercept[own]
            predicted = values[factor][decision.argmax(axis=1)]
            accuracy[code, factor] = (predicted == test_factors[:, factor]).mean()
    return accuracy


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


def _costs(
    counts: Integer[np.ndarray, " class"], num_classes: Integer[np.ndarray, " class"], num_images: int
) -> Float[np.ndarray, "side=2 class"]:
    """Weight of an image of each class against the rest, and of an image of the rest.

    As LIBLINEAR does it: the class is balanced, the rest is not; but with two classes both are.
    """
    rest = np.where(num_classes == 2, num_images / (2 * (num_images - counts)), 1.0)
    return np.stack([num_images / (num_classes * counts), rest])


class _SortedCode(NamedTuple):
    """A code in ascending order, with prefix sums over the images of one group after the other, each in that order.

    A group is a class, which each image has for every factor, or last, with the number of classes for its number, all.
    """

    values: Float[np.ndarray, " image"]
    place: Integer[np.ndarray, " member"]
    """group · N + rank in `values`, ascending"""
    sums: Float[np.ndarray, "moment=3 member+1"]
    """of 1, x and x² over all members before"""

    def beyond(
        self,
        threshold: Float[np.ndarray, " class"],
        group: Integer[np.ndarray, " class"] | int,
        *,
        above: Bool[np.ndarray, " class"],
    ) -> Float[np.ndarray, "moment=3 class"]:
        """Sums over the images of a group on one side of a threshold, `above` or below."""
        num_images, rank = len(self.values), np.searchsorted(self.values, threshold)
        low, high = np.where(above, rank, 0), np.where(above, num_images, rank)
        first, last = np.searchsorted(self.place, group * num_images + np.stack([low, high]))
        return self.sums[:, last] - self.sums[:, first]


def _sort(
    code: Float[np.ndarray, " image"], classes: Integer[np.ndarray, "image factor"], num_classes: int
) -> _SortedCode:
    order = np.argsort(code)
    values, groups = code[order], np.pad(classes[order], [(0, 0), (0, 1)], constant_values=num_classes)
    place = np.sort(groups.T * len(code) + np.arange(len(code)), axis=None)
    x = values[place % len(code)]
    return _SortedCode(values, place, np.pad(np.cumsum([np.ones_like(x), x, x**2], axis=1), [(0, 0), (1, 0)]))


class _Loss(NamedTuple):
    """Of each class's line: ½ (slope² + intercept²) + costs · squared hinges, with its derivatives."""

    value: Float[np.ndarray, " class"]
    gradient: Float[np.ndarray, "class coefficient=2"]
    hessian: Float[np.ndarray, "class coefficient=2 coefficient=2"]


def _loss(
    lines: Float[np.ndarray, "class coefficient=2"], code: _SortedCode, costs: Float[np.ndarray, "side=2 class"]
) -> _Loss:
    """A class's images are within the margin where its line is below 1, the rest where it is above -1."""
    slope, intercept = lines.T
    classes = np.arange(len(lines))
    with np.errstate(all="ignore"):  # a line of slope 0 passes 1 and -1 at infinity or never
        one, minus_one = (1 - intercept) / slope, (-1 - intercept) / slope
    own = costs[0] * code.beyond(one, classes, above=slope < 0)
    both, others = (code.beyond(minus_one, group, above=slope >= 0) for group in (len(lines), classes))
    rest = costs[1] * (both - others)
    count, first, second = own + rest
    hessian = np.stack([1 + 2 * second, 2 * first, 2 * first, 1 + 2 * count], axis=1).reshape(-1, 2, 2)
    pull = 2 * (own - rest)[[1, 0]].T  # on slope and intercept, of all hinges at 0
    gradient = (hessian @ lines[:, :, None])[:, :, 0] - pull
    return _Loss(count + (lines * (gradient - pull)).sum(axis=1) / 2, gradient, hessian)


def _fit(
    code: Float[np.ndarray, " image"],
    classes: Integer[np.ndarray, "image factor"],
    costs: Float[np.ndarray, "side=2 class"],
) -> Float[np.ndarray, "class coefficient=2"]:
    """Slope and intercept of least loss for each class against the rest; classes are numbered through all factors.

    By Newton's steps, each halved until it lowers the loss (Armijo's condition).
    """
    lines = np.zeros((costs.shape[1], 2))
    loss_at = partial(_loss, code=_sort(code, classes, len(lines)), costs=costs)
    loss = loss_at(lines)
    negligible = TOLERANCE * loss.value
    for _ in range(MAX_STEPS):
        step = -np.linalg.solve(loss.hessian, loss.gradient[:, :, None])[:, :, 0]
        decrease = -(loss.gradient * step).sum(axis=1)  # to first order
        fraction = np.where(decrease > negligible, 1.0, 0.0)
        if not fraction.any():  # where no image is within a margin, the last step is long, though it gains nothing
            break
        while True:
            trial = lines + fraction[:, None] * step
            trial_loss = loss_at(trial)
            too_far = trial_loss.value > loss.value - 1e-4 * fraction * decrease
            if not too_far.any():
                break
            fraction[too_far] /= 2
        lines, loss = trial, trial_loss
    return lines
