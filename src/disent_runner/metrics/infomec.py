"""InfoMEC: modularity, compactness and explicitness in terms of information (Hsu et al. 2023)."""

from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Integer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from disent_runner.machine.ranges import BelowOne, Count, OneOf, Several
from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators.information import factor_entropies, information_gap, mutual_information_matrix
from disent_runner.metrics.estimators.neighbor_information import neighbor_information
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

ROUNDING = 1e-12  # of information that is 0: the ratio of two roundings would be any number


ESTIMATORS = ("continuous", "binned")


@returns(
    Number("infom", "higher"),
    Number("infoc", "higher", per_factor=True),
    Number("infoe", "higher", per_factor=True),
    Number("infoe_train"),
    Number("infom_gap", "higher"),
    Number("infoc_gap", "higher"),
    Number("infomec_active_codes", unit="codes"),
)
def infomec(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Several = 10_000,
    num_test: Count = 5_000,
    estimator: Annotated[str, OneOf(*ESTIMATORS)] = "continuous",
    num_neighbors: Count = 3,
    num_bins: Count = 20,
    prune_range: BelowOne = 0.125,
    max_iter: Count = 100,
) -> dict[str, float]:
    """Modularity `infom` and compactness `infoc`, both in [0, 1], and explicitness `infoe`, at most 1.

    On disjoint random images to train and to test on. Returns what `infomec_from_arrays` does.

    Raises:
        ValueError: no factor has more than one value, or a setting is out of range.
    """
    rep = require_labels("infomec", rep)
    require_at_least("infomec", 1, num_train=num_train, num_test=num_test)
    train, test = draw_split(len(rep.codes), num_train=num_train, num_test=num_test, rng=rng)
    return infomec_from_arrays(
        rep.codes[train],
        rep.factors[train],
        rep.codes[test],
        rep.factors[test],
        estimator=estimator,
        num_neighbors=num_neighbors,
        num_bins=num_bins,
        prune_range=prune_range,
        max_iter=max_iter,
    )


def infomec_from_arrays(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    estimator: str = "continuous",
    num_neighbors: int = 3,
    num_bins: int = 20,
    prune_range: float = 0.125,
    max_iter: int = 100,
) -> dict[str, float]:
    """`infom`, `infoc`, `infoe` and variants; `infoc_factor_<k>`, `infoe_factor_<k>` for each factor k that varies.

    `infom` and `infoc` are mean `concentration`s, over active codes and over factors, of the train images' information
    as a fraction of the factor's entropy; `infom_gap` and `infoc_gap` are the mean gaps between its two largest. A code
    is active (`infomec_active_codes` counts them) if its range exceeds `prune_range` times the largest range; if none
    is, all four are 0. `infoe` is the mean `explicitness` on the test images, `infoe_train` that on the train images.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or a setting is out of range.
    """
    require_choice("infomec", ESTIMATORS, estimator=estimator)
    require_at_least("infomec", 1, num_neighbors=num_neighbors, num_bins=num_bins, max_iter=max_iter)
    if not 0 <= prune_range < 1:
        raise ValueError(f"infomec needs prune_range from 0 to below 1, got {prune_range}")
    require_finite("infomec", train_codes)
    require_finite("infomec", test_codes)
    varying = require_varying_factors("infomec", train_factors)
    train_values, test_values = (factors[:, varying].astype(np.int64) for factors in (train_factors, test_factors))
    active = active_codes(train_codes.astype(np.float64), prune_range)
    fractions = np.zeros((1, len(varying)))  # of no active code: one that tells nothing
    if active.any():
        information = (
            mutual_information_matrix(train_codes[:, active], train_values, num_bins=num_bins)
            if estimator == "binned"
            else neighbor_information(train_codes[:, active], train_values, num_neighbors=num_neighbors)
        )
        fractions = np.minimum(information / factor_entropies(train_values), 1.0)  # an estimate may exceed it
    compactness = concentration(fractions.T)
    in_double = train_codes.astype(np.float64), test_codes.astype(np.float64)
    explicit = explicitness(in_double[0], train_values, in_double[1], test_values, max_iter=max_iter)
    by_factor = {"infoc": compactness, "infoe": explicit["test"]}
    return {
        "infom": float(concentration(fractions).mean()),
        "infoc": float(compactness.mean()),
        "infoe": float(explicit["test"].mean()),
        "infoe_train": float(explicit["train"].mean()),
        "infom_gap": float(information_gap(fractions.T, np.ones(len(fractions))).mean()),
        "infoc_gap": float(information_gap(fractions, np.ones(len(varying))).mean()),
        "infomec_active_codes": float(active.sum()),
    } | {
        f"{key}_factor_{factor}": float(value)
        for key, values in by_factor.items()
        for factor, value in zip(varying, values, strict=True)
    }


def active_codes(codes: Float[np.ndarray, "image latent"], prune_range: float) -> Bool[np.ndarray, " latent"]:
    """Whether a code's range exceeds this fraction of the largest range; never for a constant code."""
    ranges = np.ptp(codes, axis=0)
    return ranges > prune_range * ranges.max()


def concentration(information: Float[np.ndarray, "row column"]) -> Float[np.ndarray, " row"]:
    """How far each row's sum lies in its largest entry: 0 if all are equal, or all 0, and 1 if the others are 0."""
    total, columns = information.sum(axis=1), information.shape[1]
    informative = total > ROUNDING
    if columns == 1:
        return informative.astype(np.float64)  # as beside a column of zeros
    share = np.divide(information.max(axis=1), total, out=np.full(len(total), 1 / columns), where=informative)
    return (columns * share - 1) / (columns - 1)


def explicitness(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    max_iter: int,
) -> dict[str, Float[np.ndarray, " factor"]]:
    """What a linear classifier of all codes learns of each factor: 1 - cross entropy / log(number of values).

    On the `train` images that it was fitted to and on `test` images, where it is below 0 for one that is worse than
    guessing. Multinomial logistic regression without penalty on standardised codes, values weighted equally; without
    codes it would guess each value equally often, hence the logarithm. Test images of a value that no train image has
    are left out; a factor of which nothing is left counts 0. Each factor must vary among the train images.
    """
    scaler = StandardScaler().fit(train_codes)
    train, test = (np.asarray(scaler.transform(codes)) for codes in (train_codes, test_codes))

    def one_factor(factor: int) -> tuple[float, float]:
        return _explained(train, train_factors[:, factor], test, test_factors[:, factor], max_iter=max_iter)

    on_train, on_test = np.array(map_in_threads(one_factor, range(train_factors.shape[1]))).T
    return {"train": on_train, "test": on_test}


def _explained(
    train: Float[np.ndarray, "train latent"],
    train_values: Integer[np.ndarray, " train"],
    test: Float[np.ndarray, "test latent"],
    test_values: Integer[np.ndarray, " test"],
    *,
    max_iter: int,
) -> tuple[float, float]:
    """Fraction of log(number of values) that the classifier explains on train and on test images."""
    values = np.unique(train_values)
    known = np.isin(test_values, values)
    classifier = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=max_iter).fit(train, train_values)

    def score(codes: Float[np.ndarray, "image latent"], labels: Integer[np.ndarray, " image"]) -> float:
        return 1 - float(log_loss(labels, classifier.predict_proba(codes), labels=values)) / float(np.log(len(values)))

    return score(train, train_values), score(test[known], test_values[known]) if known.any() else 0.0
