"""Downstream tasks: how well factors are learnt from few labelled codes (Locatello et al. 2019, section 5.5)."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Annotated, Any

import numpy as np
from annotated_types import MinLen, Predicate
from jaxtyping import Float, Integer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from disent_runner.machine.ranges import Count, Counts, OneOf, distinct
from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.metrics.estimators.tree_scale import tree_scale
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_choice,
    require_finite,
    require_labels,
    require_varying_factors,
)

LEARNERS = ("logistic", "gbt", "hist_gbt")


@returns(
    Number("downstream", "higher"),
    *(Number(f"downstream_{learner}", "higher", per_factor=True, sizes="train_sizes") for learner in LEARNERS),
    *(Number(f"downstream_{learner}_sample_efficiency", "higher", sizes="train_sizes") for learner in LEARNERS),
)
def downstream(
    rep: Representation,
    *,
    rng: np.random.Generator,
    train_sizes: Counts = (10, 100, 1_000, 10_000),
    num_test: Count = 5_000,
    learners: Annotated[Sequence[Annotated[str, OneOf(*LEARNERS)]], MinLen(1), Predicate(distinct)] = (
        "logistic",
        "hist_gbt",
    ),
) -> dict[str, float]:
    """Accuracy in [0, 1] on `num_test` images of learners that saw the labels of few others, for each number of those.

    `downstream_<learner>_<size>` is the mean over factors of `downstream_<learner>_<size>_factor_<k>`;
    `downstream_<learner>_sample_efficiency_<size>` is its fraction of the accuracy at the largest size;
    `downstream` is the mean over learners at the largest size there is. The images of a size are the first of those of
    the next. `fit_classifier` says what the learners are. Factors with a single value are left out. Where there are
    fewer images than asked for, train and test share them as `draw_split` says, sizes beyond the train part are left
    out, and with them the sample efficiencies.

    Raises:
        NotApplicable: too few images for the smallest size.
        ValueError: an unknown learner, no learner or size, or a number below 1.
    """
    rep = require_labels("downstream", rep)
    require_at_least("downstream", 1, num_test=num_test, num_train_sizes=len(train_sizes), num_learners=len(learners))
    require_at_least("downstream", 1, **{"each of train_sizes": min(train_sizes)})
    columns = require_varying_factors("downstream", rep.factors)
    largest = max(train_sizes)
    train, test = draw_split(len(rep.codes), num_train=largest, num_test=num_test, rng=rng)
    sizes = sorted(size for size in set(train_sizes) if size <= len(train))
    if not sizes:
        raise NotApplicable(
            f"downstream needs {min(train_sizes)} images to train on, got {len(train)} of {len(rep.codes)}"
        )
    accuracy = downstream_from_arrays(
        rep.codes[train],
        rep.factors[np.ix_(train, columns)],
        rep.codes[test],
        rep.factors[np.ix_(test, columns)],
        train_sizes=sizes,
        learners=learners,
        rng=rng,
    )
    mean = {key: float(values.mean()) for key, values in accuracy.items()}
    scores = {"downstream": sum(mean[learner, sizes[-1]] for learner in learners) / len(learners)}
    for (learner, size), values in accuracy.items():
        name = f"downstream_{learner}"
        scores[f"{name}_{size}"] = mean[learner, size]
        if size < largest == sizes[-1] and mean[learner, largest] > 0:
            scores[f"{name}_sample_efficiency_{size}"] = mean[learner, size] / mean[learner, largest]
        for column, value in zip(columns, values, strict=True):
            scores[f"{name}_{size}_factor_{column}"] = float(value)
    return scores


def downstream_from_arrays(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    train_sizes: Sequence[int],
    learners: Sequence[str],
    rng: np.random.Generator,
) -> dict[tuple[str, int], Float[np.ndarray, " factor"]]:
    """Accuracy on the test rows for each factor, by learner and number of train rows, of which it takes the first.

    Raises:
        ValueError: an unknown learner, or codes that are not finite.
    """
    for learner in learners:
        require_choice("downstream", LEARNERS, learners=learner)
    require_finite("downstream", train_codes)
    require_finite("downstream", test_codes)
    train_codes, test_codes = train_codes.astype(np.float64), test_codes.astype(np.float64)
    seed = int(rng.integers(2**31))

    def accuracy(task: tuple[str, int, int]) -> float:
        learner, size, factor = task
        classifier = fit_classifier(learner, train_codes[:size], train_factors[:size, factor], seed=seed)
        return float((classifier.predict(test_codes) == test_factors[:, factor]).mean())

    num_values = train_factors.max(axis=0)
    tasks = list(product(learners, train_sizes, range(train_factors.shape[1])))
    largest_first = sorted(tasks, key=lambda task: -task[1] * int(num_values[task[2]]))
    accuracies = dict(zip(largest_first, map_in_threads(accuracy, largest_first), strict=True))
    return {
        (learner, size): np.array([accuracies[learner, size, factor] for factor in range(train_factors.shape[1])])
        for learner, size in product(learners, train_sizes)
    }


def fit_classifier(
    learner: str, codes: Float[np.ndarray, "image latent"], labels: Integer[np.ndarray, " image"], *, seed: int
) -> Any:
    """One of scikit-learn's classifiers with its default settings, fitted; of a single label, one that repeats it.

    `logistic`: multinomial logistic regression whose L2 penalty 5-fold cross-validation chooses. `gbt`: 100 rounds of
    gradient boosted trees of depth 3. `hist_gbt`: the same on codes in 255 bins each, an order of magnitude faster.
    """
    if (labels == labels[0]).all():
        return DummyClassifier(strategy="most_frequent").fit(codes, labels)
    match learner:
        case "logistic":
            return _fit_logistic(codes, labels)
        case "gbt":
            boosting = GradientBoostingClassifier(random_state=seed)
            return make_pipeline(FunctionTransformer(tree_scale(codes)), boosting).fit(codes, labels)
        case _:
            # leaves and depth are those of gbt: with its own, 10 labels would grow no tree
            trees = HistGradientBoostingClassifier(
                max_depth=3,
                min_samples_leaf=1,
                early_stopping=False,  # pyright: ignore[reportArgumentType]
                random_state=seed,
            )
            return trees.fit(codes, labels)


def _fit_logistic(codes: Float[np.ndarray, "image latent"], labels: Integer[np.ndarray, " image"]) -> Any:
    """Logistic regression with the strongest of 10 penalties of which the mean accuracy over 5 folds is best.

    What `LogisticRegressionCV` does, without the settings that it renames from version to version. A fold may lack
    labels, down to a single one.
    """
    inverse_penalties = np.logspace(-4, 4, 10)
    folds = KFold(min(5, len(labels))).split(codes)
    accuracies = [
        [path.score(codes[test], labels[test]) for path in _path(codes[train], labels[train], inverse_penalties)]
        for train, test in folds
    ]
    best = int(np.mean(accuracies, axis=0).argmax())
    *_, classifier = _path(codes, labels, inverse_penalties[: best + 1])
    return classifier


def _path(
    codes: Float[np.ndarray, "image latent"],
    labels: Integer[np.ndarray, " image"],
    inverse_penalties: Float[np.ndarray, " penalty"],
) -> Iterator[Any]:
    """The classifier for each penalty, each started from the one before; the same object, fitted anew."""
    if (labels == labels[0]).all():
        yield from [DummyClassifier(strategy="most_frequent").fit(codes, labels)] * len(inverse_penalties)
        return
    classifier = LogisticRegression(warm_start=True)
    for inverse_penalty in inverse_penalties:
        yield classifier.set_params(C=inverse_penalty).fit(codes, labels)
