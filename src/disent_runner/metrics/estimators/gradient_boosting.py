"""Gradient boosting for many factors at once, with the trees of scikit-learn's GradientBoostingClassifier()."""

from multiprocessing.pool import ThreadPool
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from scipy.special import softmax

from disent_runner.machine.threads import num_cores, one_thread_per_operation

NUM_STAGES, MAX_DEPTH, LEARNING_RATE = 100, 3, 0.1  # of GradientBoostingClassifier()
TIE = 1e-10  # relative difference of two gains that rounding may cause
PURE = float(np.finfo(np.float64).eps)  # variance below which a node is not split
TrainAndTest = tuple[Integer[np.ndarray, " train"], Integer[np.ndarray, " test"]]  # values of one factor


class Prediction(NamedTuple):
    """How one factor is predicted: importance of each code, and accuracy (of lasso: error) on both sets."""

    importance: Float[np.ndarray, " latent"]
    train: float
    test: float


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


def boost(
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
    residuals = residual[order[0]]
    mean = residuals.mean()
    if residuals @ residuals / size - mean**2 <= PURE:
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
