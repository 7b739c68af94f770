"""SAP: how much better the best code predicts a factor than the second best (Kumar et al. 2018, section 3).

Each code by itself predicts each factor: the score of a pair is the accuracy of a linear classifier, or the squared
correlation where factors are continuous. The classifier is a one-vs-rest linear support vector machine. The images of a
class that lie within its margin are those on one side of a threshold, so that prefix sums of the sorted code give loss,
gradient and Hessian of any line, and Newton's method reaches the minimum in a few steps that touch no image.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from disent_runner.metrics.requirements import require_at_least, require_finite, require_labels, require_varying_factors
from disent_runner.metrics.sampling import draw_split
from disent_runner.representation import Representation

TOLERANCE = 1e-12  # of the last step's decrease, as a fraction of the loss of a classifier that knows nothing
MAX_STEPS = 100


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
    last = np.cumsum(sizes)
    classes = np.stack(labels, axis=1) + (last - sizes)
    own_cost, rest_cost = _costs(np.bincount(classes.ravel()), np.repeat(sizes, sizes), len(classes))
    accuracy = np.empty((train_codes.shape[1], len(sizes)))
    for code in range(len(accuracy)):
        slope, intercept = _fit(
            _sort(train_codes[:, code].astype(np.float64), classes),
            inverse_regularization * own_cost,
            inverse_regularization * rest_cost,
        )
        for factor, size in enumerate(sizes):
            own = slice(last[factor] - size, last[factor])
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
) -> tuple[Float[np.ndarray, " class"], Float[np.ndarray, " class"]]:
    """Weight of an image of each class against the rest, and of an image of the rest.

    As LIBLINEAR does it: the class is balanced, the rest is not; but with two classes both are.
    """
    positive = num_images / (num_classes * counts)
    return positive, np.where(num_classes == 2, num_images / (2 * (num_images - counts)), 1.0)


class _SortedCode(NamedTuple):
    """A code in ascending order, with sums of 1, x and x² over its smallest values: of all images, and by class."""

    values: Float[np.ndarray, " image"]
    sums: Float[np.ndarray, "moment=3 image+1"]
    place: Integer[np.ndarray, " image*factor"]
    """class · N + rank in `values`, ascending: the images class by class, for every factor"""
    class_sums: Float[np.ndarray, "moment=3 image*factor+1"]
    start: Integer[np.ndarray, " class+1"]
    """where each class begins in `place`"""

    def beyond(
        self, threshold: Float[np.ndarray, " class"], *, above: Bool[np.ndarray, " class"]
    ) -> tuple[Float[np.ndarray, "moment=3 class"], Float[np.ndarray, "moment=3 class"]]:
        """Sums over the images on one side of a class's threshold, `above` or below: those of the class, and all."""
        rank = np.searchsorted(self.values, threshold)
        middle = np.searchsorted(self.place, np.arange(len(rank)) * len(self.values) + rank)
        of_class = _between(self.class_sums, self.start[:-1], middle, self.start[1:], above=above)
        return of_class, _between(self.sums, 0, rank, len(self.values), above=above)


def _between(
    sums: Float[np.ndarray, "moment=3 place"], first: Any, middle: Any, last: Any, *, above: Bool[np.ndarray, " class"]
) -> Float[np.ndarray, "moment=3 class"]:
    return sums[:, np.where(above, last, middle)] - sums[:, np.where(above, middle, first)]


def _sort(code: Float[np.ndarray, " image"], classes: Integer[np.ndarray, "image factor"]) -> _SortedCode:
    """`classes` is the class of each image for each factor, numbered 0, 1, … through all factors."""
    order = np.argsort(code)
    values = code[order]
    narrow = np.uint16 if classes.max() < 2**16 else np.int64  # 16 bits are radix-sorted
    ranks = [np.argsort(labels, kind="stable") for labels in classes[order].T.astype(narrow)]
    places = [classes[order[rank], factor] * len(code) + rank for factor, rank in enumerate(ranks)]
    start = np.concatenate([[0], np.cumsum(np.bincount(classes.ravel()))])
    return _SortedCode(values, _sums(values), np.concatenate(places), _sums(values[np.concatenate(ranks)]), start)


def _sums(values: Float[np.ndarray, " item"]) -> Float[np.ndarray, "moment=3 item+1"]:
    return np.pad(np.cumsum([np.ones_like(values), values, values**2], axis=1), [(0, 0), (1, 0)])


class _Loss(NamedTuple):
    """Loss of each class's line, ½ (slope² + intercept²) + costs · squared hinges, as a quadratic function.

    That is what it is for as long as the same images stay within the margin.
    """

    constant: Float[np.ndarray, " class"]
    linear: Float[np.ndarray, "coefficient=2 class"]
    hessian: Float[np.ndarray, "entry=3 class"]
    """slope twice, slope and intercept, intercept twice"""

    def value(self, lines: Float[np.ndarray, "coefficient=2 class"]) -> Float[np.ndarray, " class"]:
        return self.constant - (self.linear * lines).sum(axis=0) + self.curvature(lines) / 2

    def curvature(self, step: Float[np.ndarray, "coefficient=2 class"]) -> Float[np.ndarray, " class"]:
        return (self.hessian * [step[0] ** 2, 2 * step[0] * step[1], step[1] ** 2]).sum(axis=0)

    def minimum(self) -> Float[np.ndarray, "coefficient=2 class"]:
        (slope, intercept), (steep, mixed, flat) = self.linear, self.hessian
        numerators = np.stack([flat * slope - mixed * intercept, steep * intercept - mixed * slope])
        return numerators / (steep * flat - mixed**2)


def _loss_at(
    lines: Float[np.ndarray, "coefficient=2 class"],
    code: _SortedCode,
    own_cost: Float[np.ndarray, " class"],
    rest_cost: Float[np.ndarray, " class"],
) -> _Loss:
    """A class's images are within the margin where its line is below 1, the rest where it is above -1."""
    slope, intercept = lines
    with np.errstate(all="ignore"):  # a line of slope 0 passes 1 and -1 at infinity or never
        own, _ = code.beyond((1 - intercept) / slope, above=slope < 0)
        others, both = code.beyond((-1 - intercept) / slope, above=slope >= 0)
    own, rest = own_cost * own, rest_cost * (both - others)
    count, first, second = own + rest
    pull = own - rest
    return _Loss(count, 2 * pull[1::-1], np.stack([1 + 2 * second, 2 * first, 1 + 2 * count]))


def _fit(
    code: _SortedCode, own_cost: Float[np.ndarray, " class"], rest_cost: Float[np.ndarray, " class"]
) -> Float[np.ndarray, "coefficient=2 class"]:
    """Slope and intercept of least loss for each class against the rest."""
    loss_at = partial(_loss_at, code=code, own_cost=own_cost, rest_cost=rest_cost)
    lines = np.zeros((2, len(own_cost)))
    loss = loss_at(lines)
    negligible = TOLERANCE * loss.value(lines)
    for _ in range(MAX_STEPS):
        step = loss.minimum() - lines
        decrease = loss.curvature(step)  # to first order
        if (decrease <= negligible).all():
            return lines + step
        lines, loss = _descend(lines, np.where(decrease > negligible, step, 0.0), loss, loss_at)
    return lines


def _descend(
    lines: Float[np.ndarray, "coefficient=2 class"],
    step: Float[np.ndarray, "coefficient=2 class"],
    loss: _Loss,
    loss_at: Callable[[np.ndarray], _Loss],
) -> tuple[Float[np.ndarray, "coefficient=2 class"], _Loss]:
    """Newton's step, halved for each class until it lowers its loss (Armijo's condition), and the loss there."""
    before, decrease, fraction = loss.value(lines), loss.curvature(step), np.ones(step.shape[1])
    while True:
        trial = lines + fraction * step
        trial_loss = loss_at(trial)
        too_far = trial_loss.value(trial) > before - 1e-4 * fraction * decrease
        if not too_far.any():
            return trial, trial_loss
        fraction[too_far] /= 2
