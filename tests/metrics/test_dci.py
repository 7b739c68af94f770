import itertools

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from disent_runner.metrics.dci import ESTIMATORS, dci, dci_from_arrays, dci_from_importance
from disent_runner.representations.representation import Representation

pytestmark = pytest.mark.slow  # many fits; `make test` runs them

SIZES = (3, 4, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
MANY = np.tile(GRID, (5, 1))
KEYS = ("informativeness_train", "informativeness_test", "disentanglement", "completeness")


def score(codes, factors=MANY, *, estimator="gbt", seed=0):
    codes = np.asarray(codes, dtype=np.float64)
    return dci_from_arrays(codes, factors, codes, factors, estimator=estimator, rng=np.random.default_rng(seed))


def reference(arrays, oracle, grid, name, num_train):
    codes, factors = arrays(grid, name)
    test = slice(10_000, 10_000 + num_train // 2)
    scores = dci_from_arrays(
        codes[:num_train], factors[:num_train], codes[test], factors[test], rng=np.random.default_rng(0)
    )
    for key in KEYS:
        expected = oracle(f"{grid}/{name}/{num_train}/dci").expected[key]
        assert scores[key] == pytest.approx(expected, abs=0.01), key  # the tolerance of the reference values


def test_gradient_boosting_is_the_reference_library_s(arrays, oracle):
    reference(arrays, oracle, "small", "aligned", 2_000)


@pytest.mark.parametrize("name", ["rotated", "noisy_dead", "constant_code"])  # a fit of each factor takes seconds
def test_gradient_boosting_is_the_reference_library_s_for_other_codes(name, arrays, oracle):
    reference(arrays, oracle, "small", name, 2_000)


@pytest.mark.parametrize(("grid", "num_train"), [("dsprites", 1_000), ("small", 10_000)])
def test_gradient_boosting_is_the_reference_library_s_for_more(grid, num_train, arrays, oracle):
    reference(arrays, oracle, grid, "entangled", num_train)


def test_concentration_is_the_reference_library_s(load, oracle):
    for name, importance in load("importance").items():
        grid, rest = name.split("_", 1)
        representation, num_train = rest.rsplit("_", 1)
        scores = dci_from_importance(importance)
        for key, value in oracle(f"{grid}/{representation}/{num_train}/dci_from_importance").expected.items():
            assert scores[key] == pytest.approx(value, abs=1e-9), name


def test_the_forest_is_scikit_learn_s():
    rng = np.random.default_rng(1)
    codes = MANY + 0.3 * rng.standard_normal(MANY.shape)
    own = dci_from_arrays(codes, MANY, codes, MANY, estimator="random_forest", rng=np.random.default_rng(5))
    seeds = np.random.default_rng(5).integers(2**31, size=3)
    models = [
        RandomForestClassifier(random_state=int(seed)).fit(codes, values)
        for seed, values in zip(seeds, MANY.T, strict=True)
    ]
    importance = np.stack([model.feature_importances_ for model in models], axis=1)
    assert own["completeness"] == pytest.approx((1 - entropy(importance, base=3, axis=0)).mean())


def test_logistic_importance_is_the_mean_size_of_scikit_learn_s_coefficients():
    codes = MANY * [1.0, 5.0, 0.2] + 0.3 * np.random.default_rng(1).standard_normal(MANY.shape)
    own = score(codes, estimator="logistic")
    standardized = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    models = [LogisticRegression(max_iter=1_000).fit(standardized, values) for values in MANY.T]
    importance = np.stack([np.abs(model.coef_).mean(axis=0) for model in models], axis=1)
    assert own["completeness"] == pytest.approx((1 - entropy(importance, base=3, axis=0)).mean(), abs=1e-6)
    # a factor of many values has many rows of coefficients, and weighs no more for it
    assert own["disentanglement"] == pytest.approx(dci_from_importance(importance)["disentanglement"], abs=1e-6)
    accuracy = [model.score(standardized, values) for model, values in zip(models, MANY.T, strict=True)]
    assert own["informativeness_test"] == pytest.approx(np.mean(accuracy))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_one_code_per_factor_is_perfect(estimator):
    scores = score(MANY[:, [2, 0, 1]] * [3.0, -2.0, 0.1], estimator=estimator)
    least = 0.85 if estimator == "random_forest" else 0.98  # its trees may split on one code of three at a time
    assert scores["disentanglement"] > least
    assert scores["completeness"] > least
    if estimator == "lasso":
        assert scores["informativeness_error_test"] == pytest.approx(0.02, abs=1e-3)  # what the penalty shrinks
    elif estimator != "logistic":  # a linear classifier ranks three values in a row imperfectly at best
        assert scores["informativeness_test"] == 1.0


@pytest.mark.parametrize("estimator", ["gbt", "hist_gbt"])
def test_a_code_twice_is_as_disentangled_and_less_complete(estimator):
    scores, alone = score(np.hstack([MANY, MANY]), estimator=estimator), score(MANY, estimator=estimator)
    assert scores["disentanglement"] == pytest.approx(alone["disentanglement"], abs=1e-4)
    floor = 1 - np.log(2) / np.log(6)  # of a factor that two of six codes share alike
    assert floor - 1e-6 < scores["completeness"] <= 1
    if estimator == "gbt":
        assert scores["completeness"] < 0.75  # ties fall to either copy


@pytest.mark.parametrize("estimator", ESTIMATORS[1:])
def test_rotated_codes_are_not_disentangled(estimator):
    turn = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    rotated = (MANY - MANY.mean(axis=0)) / MANY.std(axis=0) @ turn
    assert score(rotated, estimator=estimator)["disentanglement"] < 0.75  # one code of three is alone with its factor


@pytest.mark.parametrize("estimator", ESTIMATORS[1:])
def test_neither_scale_nor_offset_of_codes_matters(estimator):
    codes, factors = GRID + 0.3 * np.random.default_rng(0).standard_normal(GRID.shape), GRID[:, :1]
    other = codes * [1e-8, 1e42, 1.0] + [0.0, 0.0, 1e6]
    assert score(other, factors, estimator=estimator) == pytest.approx(
        score(codes, factors, estimator=estimator), abs=1e-4
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_constant_codes_tell_nothing(estimator):
    scores = score(np.ones((len(MANY), 3)), estimator=estimator)
    assert scores["disentanglement"] == scores["completeness"] == 0.0
    if estimator != "lasso":
        assert scores["informativeness_test"] == pytest.approx(np.mean(1 / np.array(SIZES)))
    else:
        assert scores["informativeness_error_test"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("importance", "disentanglement", "completeness"),
    [
        (np.eye(3), 1.0, 1.0),
        (np.ones((3, 3)), 0.0, 0.0),
        (np.zeros((3, 2)), 0.0, 0.0),
        (np.ones((1, 2)), 0.0, 1.0),
        (np.ones((2, 1)), 1.0, 0.0),
        ([[1.0, 1.0], [0.0, 2.0]], 0.5, (1 + 1 - entropy([1 / 3, 2 / 3], base=2)) / 2),
    ],
)
def test_importance_is_turned_into_scores(importance, disentanglement, completeness):
    scores = dci_from_importance(np.asarray(importance, dtype=np.float64))
    assert scores == pytest.approx({"disentanglement": disentanglement, "completeness": completeness}, abs=1e-8)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_other_importance_is_refused(value):
    with pytest.raises(ValueError, match="dci needs importance that is finite and not negative"):
        dci_from_importance(np.array([[value, 1.0]]))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_values_that_training_lacks_are_errors_not_crashes(estimator):
    train, test = np.array([[0], [1]] * 20), np.array([[0], [1], [2], [2]])
    scores = dci_from_arrays(train * 1.0, train, test * 1.0, test, estimator=estimator, rng=np.random.default_rng(0))
    if estimator != "lasso":
        assert scores["informativeness_test"] == 0.5


def test_entry_reports_factors_and_is_a_function_of_the_generator():
    rep = Representation(np.hstack([MANY[:, :2], 0.1 * MANY[:, 2:]]) * 1.0, MANY, SIZES)
    settings = {"num_train": 200, "num_test": 100, "estimator": "hist_gbt"}
    first, again = (dci(rep, rng=np.random.default_rng(3), **settings) for _ in range(2))
    assert first == again
    for key in ("disentanglement", "completeness", "informativeness_train", "informativeness_test"):
        assert 0.9 < first[f"dci_{key}"] <= 1
    assert {"dci_completeness_factor_2", "dci_informativeness_test_factor_0"} < first.keys()
    assert "dci_informativeness_error_test" in dci(rep, rng=np.random.default_rng(0), estimator="lasso")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"estimator": "svm"}, "dci needs estimator to be one of gbt, hist_gbt, .*, got 'svm'"),
        ({"num_train": 0}, "dci needs num_train >= 1, got 0"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        dci(Representation(MANY * 1.0, MANY, SIZES), rng=np.random.default_rng(0), **changes)


def test_codes_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="dci needs finite codes, got 1 values"):
        score(np.where(np.arange(300)[:, None] == 7, [np.nan, 0, 0], MANY), estimator="lasso")
