"""Disentanglement, completeness and informativeness of the best predictors (Eastwood & Williams 2018, section 2)."""

from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Integer
from scipy.special import entr
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from disent_runner.machine.ranges import Count, OneOf
from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators import gradient_boosting
from disent_runner.metrics.estimators.gradient_boosting import Prediction, TrainAndTest, boost
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.metrics.estimators.tree_scale import tree_scale
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_choice,
    require_finite,
    require_labels,
    require_varying_factors,
)

ESTIMATORS = ("gbt", "hist_gbt", "random_forest", "lasso", "logistic")
FLOOR = 1e-11  # added to each importance, as disentanglement_lib does: it lowers a perfect score by about 1e-9
LASSO_PENALTY = 0.02


@returns(
    Number("dci_disentanglement", "higher"),
    Number("dci_completeness", "higher", per_factor=True),
    Number("dci_informativeness_train"),
    Number("dci_informativeness_test", "higher", per_factor=True),
    Number("dci_informativeness_error_train"),
    Number("dci_informativeness_error_test", "lower", per_factor=True),
)
def dci(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Count = 10_000,
    num_test: Count = 5_000,
    estimator: Annotated[str, OneOf(*ESTIMATORS)] = "gbt",
) -> dict[str, float]:
    """`dci_disentanglement`, `dci_completeness` and `dci_informativeness_train` and `_test`, each in [0, 1].

    `dci_completeness_factor_<k>` and `dci_informativeness_test_factor_<k>` are those of one factor. Informativeness is
    the accuracy of the predictors: of `estimator=lasso`, a regression, it is
    `dci_informativeness_error_train` and `_test`, in which 0 is best. Factors with a single value are left out.
    The estimators: see `dci_from_arrays`.

    Raises:
        ValueError: no factor has more than one value, or a setting is below 1 or unknown.
    """
    rep = require_labels("dci", rep)
    require_at_least("dci", 1, num_train=num_train, num_test=num_test)
    train, test = draw_split(len(rep.codes), num_train=num_train, num_test=num_test, rng=rng)
    predictions = _predictions(
        rep.codes[train], rep.factors[train], rep.codes[test], rep.factors[test], estimator=estimator, rng=rng
    )
    completeness = completeness_of_factors(_importance(predictions)).tolist()
    scores = {f"dci_{key}": score for key, score in _scores(predictions, estimator).items()}
    scores |= {f"dci_completeness_factor_{k}": score for k, score in zip(predictions, completeness, strict=True)}
    return scores | {f"dci_{_informativeness(estimator)}_test_factor_{k}": fit.test for k, fit in predictions.items()}


def dci_from_arrays(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    estimator: str = "gbt",
    rng: np.random.Generator,
) -> dict[str, float]:
    """`disentanglement`, `completeness`, and `informativeness_train` and `_test`, from a predictor of each factor.

    The predictor, and what it tells of a code's importance:
    `gbt`, the trees of scikit-learn's GradientBoostingClassifier() and their mean decrease in impurity;
    `hist_gbt`, its HistGradientBoostingClassifier with trees of the same depth, on binned codes, and its splits' gains;
    `random_forest`, its RandomForestClassifier and the mean decrease in impurity;
    `logistic`, its LogisticRegression on standardised codes and the mean of |coefficient| over values;
    `lasso`, its Lasso on standardised codes and value indices, and |coefficient|; informativeness is then
    `informativeness_error_train` and `_test`, the root mean squared error in standard deviations of the train indices.

    Informativeness is the mean over factors. A factor that the train images have one value of is predicted by that.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or the estimator is unknown.
    """
    predictions = _predictions(train_codes, train_factors, test_codes, test_factors, estimator=estimator, rng=rng)
    return _scores(predictions, estimator)


def dci_from_importance(importance: Float[np.ndarray, "latent factor"]) -> dict[str, float]:
    """`disentanglement` and `completeness` in [0, 1] of the importance of each code in predicting each factor.

    Disentanglement is the mean over codes, weighted by their share of all importance, of 1 - entropy in base K of the
    code's importance for the K factors; 1 if there is one factor. Completeness is the mean over factors of
    `completeness_of_factors`. No importance at all: both are 0.

    Raises:
        ValueError: an importance is negative, NaN or infinite.
    """
    if not (np.isfinite(importance).all() and (importance >= 0).all()):
        raise ValueError(f"dci needs importance that is finite and not negative, got {importance.tolist()}")
    weight = importance.sum(axis=1)
    disentanglement = weight @ _concentration(importance.T) / (weight.sum() or 1.0)
    return {
        "disentanglement": float(disentanglement),
        "completeness": float(completeness_of_factors(importance).mean()),
    }


def completeness_of_factors(importance: Float[np.ndarray, "latent factor"]) -> Float[np.ndarray, " factor"]:
    """1 - entropy in base D of the importance of the D codes for a factor; 1 with one code, 0 without importance."""
    return _concentration(importance)


def _concentration(importance: Float[np.ndarray, "share column"]) -> Float[np.ndarray, " column"]:
    """1 - entropy of each column's shares as a fraction of the largest possible; 0 for a column of zeros."""
    total = importance.sum(axis=0)
    floored = importance + FLOOR
    shares = floored / floored.sum(axis=0)
    largest = np.log(len(importance)) or 1.0
    return np.where(total > 0, 1 - entr(shares).sum(axis=0) / largest, 0.0).clip(0.0, 1.0)


def _importance(predictions: dict[int, Prediction]) -> Float[np.ndarray, "latent factor"]:
    return np.stack([fit.importance for fit in predictions.values()], axis=1)


def _informativeness(estimator: str) -> str:
    return "informativeness_error" if estimator == "lasso" else "informativeness"


def _scores(predictions: dict[int, Prediction], estimator: str) -> dict[str, float]:
    name, fits = _informativeness(estimator), predictions.values()
    return dci_from_importance(_importance(predictions)) | {
        f"{name}_train": sum(fit.train for fit in fits) / len(fits),
        f"{name}_test": sum(fit.test for fit in fits) / len(fits),
    }


def _predictions(
    train_codes: Float[np.ndarray, "train latent"],
    train_factors: Integer[np.ndarray, "train factor"],
    test_codes: Float[np.ndarray, "test latent"],
    test_factors: Integer[np.ndarray, "test factor"],
    *,
    estimator: str,
    rng: np.random.Generator,
) -> dict[int, Prediction]:
    """How each factor that varies is predicted, by its column."""
    require_choice("dci", ESTIMATORS, estimator=estimator)
    require_finite("dci", train_codes)
    require_finite("dci", test_codes)
    columns = require_varying_factors("dci", np.concatenate([train_factors, test_factors])).tolist()
    train, test = train_codes.astype(np.float64), test_codes.astype(np.float64)
    values = [(train_factors[:, k].astype(np.int64), test_factors[:, k].astype(np.int64)) for k in columns]
    if estimator == "gbt":
        fits = boost(train, test, values, rng=rng)
    else:
        fits = _fit_each(estimator, train, test, values, rng=rng)
    return dict(zip(columns, fits, strict=True))


def _fit_each(
    estimator: str,
    train: Float[np.ndarray, "train latent"],
    test: Float[np.ndarray, "test latent"],
    values: list[TrainAndTest],
    *,
    rng: np.random.Generator,
) -> list[Prediction]:
    """One predictor per factor; those of many values, which take longest, start first."""
    seeds = [int(seed) for seed in rng.integers(2**31, size=len(values))]

    def fit(factor: int) -> Prediction:
        on_train, on_test = values[factor]
        if estimator == "lasso":
            return _fit_regression(train, on_train, test, on_test)
        if (on_train == on_train[0]).all():
            return Prediction(np.zeros(train.shape[1]), 1.0, float((on_test == on_train[0]).mean()))
        model, importance = _fit_classifier(estimator, train, on_train, seed=seeds[factor])
        return Prediction(importance, float(model.score(train, on_train)), float(model.score(test, on_test)))

    order = sorted(range(len(values)), key=lambda factor: -len(np.unique(values[factor][0])))
    fits = dict(zip(order, map_in_threads(fit, order), strict=True))
    return [fits[factor] for factor in range(len(values))]


def _fit_classifier(
    estimator: str, codes: Float[np.ndarray, "train latent"], values: Integer[np.ndarray, " train"], *, seed: int
) -> tuple[Any, Float[np.ndarray, " latent"]]:
    """A classifier of scikit-learn and the importance of each code to it."""
    match estimator:
        case "random_forest":
            forest = RandomForestClassifier(random_state=seed)
            model = make_pipeline(FunctionTransformer(tree_scale(codes)), forest).fit(codes, values)
            return model, forest.feature_importances_
        case "hist_gbt":
            whole: Any = False  # scikit-learn's stub has a string here
            trees: Any = {"max_depth": gradient_boosting.MAX_DEPTH, "min_samples_leaf": 1, "early_stopping": whole}
            model = HistGradientBoostingClassifier(**trees, random_state=seed).fit(codes, values)
            return model, _total_gain(model, codes.shape[1])
        case _:
            classifier = LogisticRegression(max_iter=1_000)
            model = make_pipeline(StandardScaler(), classifier).fit(codes, values)
            return model, np.abs(classifier.coef_).mean(axis=0)


def _total_gain(model: HistGradientBoostingClassifier, num_codes: int) -> Float[np.ndarray, " latent"]:
    """Share of each code in how much all splits lower the loss, which scikit-learn keeps but does not offer."""
    nodes = np.concatenate([tree.nodes for stage in model._predictors for tree in stage])
    splits = nodes[nodes["is_leaf"] == 0]
    gain = np.bincount(splits["feature_idx"], weights=splits["gain"], minlength=num_codes).astype(np.float64)
    return gain / (gain.sum() or 1.0)


def _fit_regression(
    train: Float[np.ndarray, "train latent"],
    train_values: Integer[np.ndarray, " train"],
    test: Float[np.ndarray, "test latent"],
    test_values: Integer[np.ndarray, " test"],
) -> Prediction:
    """Lasso on the value index; codes and indices are standardised as they are on the train images."""
    mean, deviation = train_values.mean(), train_values.std() or 1.0
    lasso = Lasso(LASSO_PENALTY)
    model = make_pipeline(StandardScaler(), lasso).fit(train, (train_values - mean) / deviation)
    error_train, error_test = (
        float(np.sqrt(np.mean(np.square(model.predict(codes) - (values - mean) / deviation))))
        for codes, values in ((train, train_values), (test, test_values))
    )
    return Prediction(np.abs(lasso.coef_), error_train, error_test)
