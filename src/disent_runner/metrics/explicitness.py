"""Explicitness: how well a linear classifier ranks the images of each factor value first (Ridgeway & Mozer 2018)."""

from typing import Annotated

import numpy as np
from jaxtyping import Float, Integer
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from disent_runner.machine.ranges import Count, OneOf
from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_choice,
    require_finite,
    require_labels,
    require_varying_factors,
)

CLASSIFIERS = ("multinomial", "one_vs_rest", "binary")
CHANCE = 0.5


@returns(
    Number("explicitness", "higher", per_factor=True),
    Number("explicitness_train"),
    Number("explicitness_scaled", "higher"),
)
def explicitness(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Count = 10_000,
    num_test: Count = 5_000,
    classifier: Annotated[str, OneOf(*CLASSIFIERS)] = "multinomial",
    max_iter: Count = 1_000,
) -> dict[str, float]:
    """Area under the ROC curve on new images, `explicitness`, and on the classifiers' own, `explicitness_train`.

    Averaged over the values of a factor, `explicitness_factor_<k>` (on new images), then over factors. 0.5 is chance;
    `explicitness_scaled` is 2·explicitness - 1, with chance at 0. Factors with a single value are left out. The last
    two settings are the classifiers', see `explicitness_from_arrays`.

    Raises:
        ValueError: no factor has more than one value, or a setting is below 1 or unknown.
    """
    rep = require_labels("explicitness", rep)
    require_at_least("explicitness", 1, num_train=num_train, num_test=num_test)
    train, test = draw_split(len(rep.codes), num_train=num_train, num_test=num_test, rng=rng)
    columns, areas = _areas(
        rep.codes[train], rep.factors[train], rep.codes[test], rep.factors[test], classifier, max_iter=max_iter
    )
    on_train, on_test = areas.mean(axis=0).tolist()
    scores = {"explicitness": on_test, "explicitness_train": on_train, "explicitness_scaled": 2 * on_test - 1}
    return scores | {f"explicitness_factor_{k}": area for k, area in zip(columns, areas[:, 1].tolist(), strict=True)}


def explicitness_from_arrays(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    classifier: str = "multinomial",
    max_iter: int = 1_000,
) -> dict[str, float]:
    """Area under the ROC curve of each factor value against the rest, on `train` and `test`: mean over values, factors.

    What ranks the images is a probability by logistic regression (scikit-learn, C = 1, at most `max_iter` iterations)
    on codes standardised as on the train images: `multinomial`, the softmax over values (lbfgs); `one_vs_rest`, a
    classifier per value (liblinear), its probability divided by the sum over values, as disentanglement_lib had it in
    2018; `binary`, the same not divided. A value that one of the sets lacks does not count in it; a factor with nothing
    to rank has 0.5, which is chance.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or a setting is below 1 or unknown.
    """
    _, areas = _areas(train_codes, train_factors, test_codes, test_factors, classifier, max_iter=max_iter)
    on_train, on_test = areas.mean(axis=0).tolist()
    return {"train": on_train, "test": on_test}


def areas_under_roc(
    scores: Float[np.ndarray, "image value"], values: Integer[np.ndarray, " image"]
) -> Float[np.ndarray, " ranked"]:
    """Area under the ROC curve of each column against the rest, by the rank statistic of Mann & Whitney; ties are half.

    `values` are the columns that are right, -1 where none is. A column that is right nowhere or everywhere has no area
    and is left out.
    """
    right = np.flatnonzero(values >= 0)
    columns = values[right]
    ranks = rankdata(scores, axis=0)[right, columns]
    rank_sum = np.bincount(columns, weights=ranks, minlength=scores.shape[1])
    positives = np.bincount(columns, minlength=scores.shape[1]).astype(np.float64)
    pairs = positives * (len(values) - positives)
    ordered = rank_sum - positives * (positives + 1) / 2
    return ordered[pairs > 0] / pairs[pairs > 0]


def _areas(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    classifier: str,
    *,
    max_iter: int,
) -> tuple[list[int], Float[np.ndarray, "varying 2"]]:
    """Columns of the factors that vary, and for each the mean area over its values on train and on test."""
    require_choice("explicitness", CLASSIFIERS, classifier=classifier)
    require_at_least("explicitness", 1, max_iter=max_iter)
    require_finite("explicitness", train_codes)
    require_finite("explicitness", test_codes)
    columns = require_varying_factors("explicitness", np.concatenate([train_factors, test_factors])).tolist()
    scaler = StandardScaler().fit(train_codes.astype(np.float64))
    train, test = (np.asarray(scaler.transform(codes.astype(np.float64))) for codes in (train_codes, test_codes))

    def areas_of_factor(column: int) -> tuple[float, float]:
        known, labels = np.unique(train_factors[:, column], return_inverse=True)
        if len(known) == 1:
            return CHANCE, CHANCE
        score_train, score_test = _scores(train, labels, test, classifier, max_iter=max_iter)
        return (
            _mean_area(score_train, labels),
            _mean_area(score_test, _positions(known, test_factors[:, column])),
        )

    return columns, np.array(map_in_threads(areas_of_factor, columns))


def _scores(
    train: Float[np.ndarray, "train latent"],
    labels: Integer[np.ndarray, " train"],
    test: Float[np.ndarray, "test latent"],
    classifier: str,
    *,
    max_iter: int,
) -> tuple[Float[np.ndarray, "train value"], Float[np.ndarray, "test value"]]:
    """Probability of each value for the train and the test images."""
    if classifier == "multinomial":
        model = LogisticRegression(max_iter=max_iter).fit(train, labels)
        return model.predict_proba(train), model.predict_proba(test)
    models = [
        LogisticRegression(solver="liblinear", max_iter=max_iter).fit(train, labels == label)
        for label in range(labels.max() + 1)
    ]
    scores = [np.stack([model.predict_proba(codes)[:, 1] for model in models], axis=1) for codes in (train, test)]
    if classifier == "one_vs_rest":
        scores = [score / score.sum(axis=1, keepdims=True) for score in scores]
    return scores[0], scores[1]


def _mean_area(scores: Float[np.ndarray, "image value"], values: Integer[np.ndarray, " image"]) -> float:
    areas = areas_under_roc(scores, values)
    return float(areas.mean()) if len(areas) else CHANCE


def _positions(known: Integer[np.ndarray, " value"], values: Integer[np.ndarray, " image"]) -> np.ndarray:
    """Position of each value among the known ones, which are sorted; -1 where it is none of them."""
    position = np.searchsorted(known, values).clip(max=len(known) - 1)
    return np.where(known[position] == values, position, -1)
