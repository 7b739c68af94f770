"""Disentanglement, completeness and informativeness of the best predictors (Eastwood & Williams 2018, section 2)."""

from multiprocessing.pool import ThreadPool
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from scipy.special import entr, softmax
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from disent_runner.metrics.requirements import (
    require_at_least,
    require_choice,
    require_finite,
    require_labels,
    require_varying_factors,
)
from disent_runner.metrics.sampling import draw_split
from disent_runner.metrics.threads import map_in_threads, num_cores, one_thread_per_operation
from disent_runner.representation import Representation

ESTIMATORS = ("gbt", "hist_gbt", "random_forest", "lasso", "logistic")
NUM_STAGES, MAX_DEPTH, LEARNING_RATE = 100, 3, 0.1  # of GradientBoostingClassifier()
TIE = 1e-10  # relative difference of two gains that rounding may cause
FLOOR = 1e-11  # added to each importance, as disentanglement_lib does: it lowers a perfect score by about 1e-9
PURE = float(np.finfo(np.float64).eps)  # variance below which a node is not split
LASSO_PENALTY = 0.02

TrainAndTest = tuple[Integer[np.ndarray, " train"], Integer[np.ndarray, " test"]]  # values of one factor
BETTER: dict[str, str] = {
    "dci_disentanglement": "higher",
    "dci_completeness": "higher",
    "dci_informativeness_test": "higher",
    "dci_informativeness_error_test": "lower",
}


class Prediction(NamedTuple):
    """How one factor is predicted: importance of each code, and accuracy (of lasso: error) on both sets."""

    importance: Float[np.ndarray, " latent"]
    train: float
    test: float


def dci(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: int = 10_000,
    num_test: int = 5_000,
    estimator: str = "gbt",
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
        fits = _boost(train, test, values, rng=rng)
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
            model = RandomForestClassifier(random_state=seed).fit(codes, values)
            return model, model.feature_importances_
        case "hist_gbt":
            whole: Any = False  # scikit-learn's stub has a string here
            trees: Any = {"max_depth": MAX_DEPTH, "min_samples_leaf": 1, "early_stopping": whole}
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


class _Sample(NamedTuple):
    """What all trees share: codes, each one's order of the train images, its levels in that order, and 1 / count."""

    train: Float[np.ndarray, "latent train"]
    test: Float[np.ndarray, "latent test"]
    order: Integer[np.ndarray, "latent train"]
    level: Integer[np.ndarray, "latent train"]
    inverse: Float[np.ndarray, " count"]


class _Tree(NamedTuple):
    """Decrease of the sum of squares by splits on each code, and the value of each image's leaf."""

    importance: Float[np.ndarray, " latent"]
    train: Float[np.ndarray, " train"]
    test: Float[np.ndarray, " test"]


def _boost(
    train: Float[np.ndarray, "train latent"],
    test: Float[np.ndarray, "test latent"],
    values: list[TrainAndTest],
    *,
    rng: np.random.Generator,
) -> list[Prediction]:
    """Gradient boosting of a softmax over each factor's values (Friedman 2001, algorithm 6), all factors together.

    The trees of a stage, one for each value of each factor, are independent, so that no core idles. The codes, which
    all trees share, are sorted once; scikit-learn sorts them in every node.
    """
    known = [np.unique(train_values) for train_values, _ in values]
    ends = np.cumsum([len(of_factor) for of_factor in known])
    trees_of = [slice(end - len(of_factor), end) for end, of_factor in zip(ends, known, strict=True)]
    is_value = np.concatenate([of_factor[:, None] == v for of_factor, (v, _) in zip(known, values, strict=True)])
    step = LEARNING_RATE * np.concatenate([np.full(len(v), 1 - 1 / len(v)) for v in known])
    prior = np.log(is_value.mean(axis=1, keepdims=True))
    score, test_score = np.repeat(prior, len(train), axis=1), np.repeat(prior, len(test), axis=1)
    importance = np.zeros((len(is_value), train.shape[1]))
    sample, residual = _sample(train, test), np.empty_like(score)

    def add_tree(tree: int) -> None:
        grown = _grow(sample, residual[tree], priority[tree])
        importance[tree] += grown.importance
        score[tree] += step[tree] * grown.train
        test_score[tree] += step[tree] * grown.test

    with one_thread_per_operation(), ThreadPool(min(num_cores(), len(is_value))) as pool:
        for _ in range(NUM_STAGES):
            for trees in trees_of:
                residual[trees] = is_value[trees] - softmax(score[trees], axis=0)
            priority = rng.random((len(is_value), 2**MAX_DEPTH - 1, train.shape[1]))
            pool.map(add_tree, range(len(is_value)), chunksize=1)

    fits = []
    for trees, of_factor, (train_values, test_values) in zip(trees_of, known, values, strict=True):
        total = importance[trees].sum(axis=0)
        accuracies = [
            float((of_factor[scores[trees].argmax(axis=0)] == truth).mean())
            for scores, truth in ((score, train_values), (test_score, test_values))
        ]
        fits.append(Prediction(total / (total.sum() or 1.0), *accuracies))
    return fits


def _sample(train: Float[np.ndarray, "train latent"], test: Float[np.ndarray, "test latent"]) -> _Sample:
    codes = np.ascontiguousarray(train.T)
    order = np.argsort(codes, axis=1, kind="stable")
    ascending = np.take_along_axis(codes, order, axis=1)
    level = np.zeros(order.shape, dtype=np.int32)
    np.cumsum(ascending[:, 1:] > ascending[:, :-1], axis=1, out=level[:, 1:])
    inverse = 1 / np.arange(1, len(train) + 1)
    return _Sample(codes, np.ascontiguousarray(test.T), order, level, inverse)


def _grow(sample: _Sample, residual: Float[np.ndarray, " train"], priority: Float[np.ndarray, "node latent"]) -> _Tree:
    """Regression tree of least squares on the residuals, with a Newton step of the multinomial likelihood per leaf."""
    tree = _Tree(np.zeros(len(sample.train)), np.zeros(sample.train.shape[1]), np.zeros(sample.test.shape[1]))
    curvature = np.abs(residual) * (1 - np.abs(residual))
    goes_left = np.empty(len(residual), dtype=bool)

    open_nodes = [(0, sample.order, sample.level, np.arange(len(tree.test)))]  # no closures: tests would wrap each anew
    while open_nodes:
        node, order, level, test_rows = open_nodes.pop()
        split = _best_split(sample, residual, order, level, priority[node]) if node < len(priority) else None
        if split is None:
            rows = order[0]
            total = curvature[rows].sum()
            tree.train[rows] = tree.test[test_rows] = residual[rows].sum() / total if total > 1e-150 else 0.0
            continue
        code, size, gain = split
        tree.importance[code] += gain
        low, high = sample.train[code, order[code, size - 1 : size + 1]]
        below = sample.test[code, test_rows] <= low + (high - low) / 2
        goes_left[order[code]] = np.arange(order.shape[1]) < size
        left = goes_left.take(order).ravel()
        for child, side, test_side in ((2, ~left, ~below), (1, left, below)):
            kept = np.flatnonzero(side)
            nodes_order, nodes_level = (array.ravel().take(kept).reshape(len(order), -1) for array in (order, level))
            open_nodes.append((2 * node + child, nodes_order, nodes_level, test_rows[test_side]))
    return tree


def _best_split(
    sample: _Sample,
    residual: Float[np.ndarray, " train"],
    order: Integer[np.ndarray, "latent row"],
    level: Integer[np.ndarray, "latent row"],
    priority: Float[np.ndarray, " latent"],
) -> tuple[int, int, float] | None:
    """Code, number of rows with its smaller values, and by how much the split lowers the sum of squares.

    None where the residuals or all codes are constant. Codes that gain the same, such as copies of each other, come in
    the order of their priority.
    """
    size = order.shape[1]
    here = residual[order[0]]
    mean = here.mean()
    if here @ here / size - mean**2 <= PURE:
        return None
    sums = (residual - mean).take(order)
    gain = np.cumsum(sums, axis=1, out=sums)[:, :-1]
    gain *= gain
    gain *= sample.inverse[: size - 1] + sample.inverse[size - 2 :: -1]
    np.copyto(gain, -1.0, where=level[:, 1:] == level[:, :-1])
    last = gain.argmax(axis=1)
    best = gain[np.arange(len(gain)), last]
    if best.max() < 0:
        return None
    code = int(np.where(best >= best.max() * (1 - TIE), priority, np.inf).argmin())
    return code, int(last[code]) + 1, float(best[code])
