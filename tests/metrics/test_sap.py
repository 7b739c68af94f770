import itertools

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from disent_runner.metrics.estimators.linear_svm import accuracies
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.metrics.sap import sap, sap_from_arrays, squared_correlations
from disent_runner.representations.representation import Representation

BITS = np.array(list(itertools.product(range(2), repeat=3)))
COPIES = 500  # of the grid, so that the classifier's penalty does not count
GRID = np.array(list(itertools.product(range(4), range(3), range(5))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


def on_all(codes, factors, **settings):
    """Trained and tested on the same images."""
    codes = np.asarray(codes, dtype=float)
    return sap_from_arrays(codes, factors, codes, factors, **settings)


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_sap_is_the_reference_library_s(grid, name, arrays, oracle):
    codes, factors = arrays(grid, name)
    factors = factors.astype(np.uint8)
    split = (codes[:10_000], factors[:10_000], codes[10_000:], factors[10_000:])
    score = sap_from_arrays(*split)
    assert score == oracle(f"{grid}/{name}/sap")
    assert score == oracle(f"{grid}/{name}/sap_dual_true")  # one minimum, whichever solver looks for it
    assert sap_from_arrays(*split, continuous=True) == oracle(f"{grid}/{name}/sap_continuous")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(BITS, 1 / 2, id="one code per factor, whose rivals guess"),
        pytest.param(BITS[:, [2, 0, 1]] * [30.0, -20.0, 10.0] + 7.0, 1 / 2, id="in any order, sign and scale"),
        pytest.param(np.hstack([BITS, np.full((8, 2), 0.1)]), 1 / 2, id="beside constant codes"),
        pytest.param(np.hstack([BITS, -2.0 * BITS]), 0.0, id="every code twice"),
        pytest.param(np.zeros((8, 3)), 0.0, id="constant codes"),
        pytest.param(BITS[:, :2], 1 / 3, id="no code for one of three factors"),
        pytest.param(BITS[:, :1], 1 / 6, id="one latent, whose rival is a constant"),
        pytest.param((2 * BITS - 1) @ [[1, 1, 0], [1, -1, 0], [0, 0, 1]], 1 / 6, id="two of three rotated by 45°"),
    ],
)
def test_sap_of_two_valued_factors(codes, expected):
    score = on_all(np.tile(codes, (COPIES, 1)), np.tile(BITS, (COPIES, 1)))
    assert score == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(GRID, 1.0, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 1e-9] + 7.0, 1.0, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 1.0, id="beside constant codes"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 0.0, id="every code twice"),
        pytest.param(np.full((60, 3), 0.1), 0.0, id="constant codes"),
        pytest.param(GRID[:, :2], 2 / 3, id="no code for one of three factors"),
        pytest.param(GRID[:, :1], 1 / 3, id="one latent"),
        pytest.param(
            (GRID / np.sqrt([15 / 12, 8 / 12, 24 / 12])) @ [[1, 1, 0], [1, -1, 0], [0, 0, 1]],
            1 / 3,
            id="two of three, standardised, rotated by 45°",
        ),
    ],
)
def test_sap_of_continuous_factors(codes, expected):
    assert on_all(codes, GRID, continuous=True) == pytest.approx(expected, abs=1e-6 if codes.max() > 7 else 1e-12)


def test_squared_correlations_are_numpy_s():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 7, size=(200, 2)).astype(np.uint8)
    codes = factors @ rng.standard_normal((2, 3)) + rng.standard_normal((200, 3))
    expected = np.corrcoef(codes, factors, rowvar=False)[:3, 3:] ** 2
    np.testing.assert_allclose(squared_correlations(codes, factors), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_zero(seed):
    rng = np.random.default_rng(seed)
    rep = Representation(rng.standard_normal((15_000, 8)), rng.integers(0, 6, size=(15_000, 3)), (6, 6, 6))
    assert 0 <= sap(rep, rng=rng)["sap"] < 0.015
    assert 0 <= sap(rep, rng=rng, continuous=True)["sap"] < 0.005


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_entry_scores_support_vector_machines_on_other_images_than_they_saw(full_representation):
    rep = full_representation("small", "entangled")
    scores = sap(rep, rng=np.random.default_rng(0))
    train, test = draw_split(840, num_train=10_000, num_test=5_000, rng=np.random.default_rng(0))
    codes = rep.codes.astype(float)
    standardized = StandardScaler().fit(codes[train]).transform(codes)
    for factor, values in enumerate(rep.factors.T):
        assert scores[f"sap_factor_{factor}"] == pytest.approx(gap(codes, values, train, test), abs=1.01 / len(test))
    expected = np.mean([gap(standardized, values, train, test) for values in rep.factors.T])
    assert scores["sap_standardized"] == pytest.approx(expected, abs=1.01 / len(test))


def machine():
    return LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-12, max_iter=10_000)  # pyright: ignore


def gap(codes, values, train, test):
    fits = [machine().fit(codes[train][:, [d]], values[train]) for d in range(codes.shape[1])]
    accuracy = [fit.score(codes[test][:, [d]], values[test]) for d, fit in enumerate(fits)]
    second, best = sorted(accuracy)[-2:]
    return best - second


def test_copies_that_differ_in_offset_and_scale_are_rivals_once_standardised(arrays):
    codes, factors = arrays("small", "duplicated")
    rep = Representation(codes, factors, (4, 5, 6, 7))
    scores = sap(rep, rng=np.random.default_rng(0))
    assert scores["sap"] > 0.1
    assert scores["sap_standardized"] == pytest.approx(0.0, abs=1e-3)
    moved = Representation(codes * np.tile([5.0, -1.0, 0.1, 1.0], 2) + 3.0, factors, (4, 5, 6, 7))
    moved_scores = sap(moved, rng=np.random.default_rng(0))
    assert moved_scores["sap"] != scores["sap"]
    assert moved_scores["sap_standardized"] == pytest.approx(scores["sap_standardized"], abs=1e-3)


def test_test_images_are_standardized_as_the_train_images_are():
    """Of few, the mean and deviation of their own are others."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        factors = rng.integers(0, 4, size=(300, 2))
        codes = factors + 0.5 * rng.standard_normal((300, 2)) + 3.0
        train, test = draw_split(300, num_train=290, num_test=10, rng=np.random.default_rng(seed))
        scaler = StandardScaler().fit(codes[train])
        seen, unseen = (np.asarray(scaler.transform(codes[rows])) for rows in (train, test))
        rep = Representation(codes, factors, (4, 4))
        scores = sap(rep, rng=np.random.default_rng(seed), num_train=290, num_test=10)
        assert scores["sap_standardized"] == pytest.approx(
            sap_from_arrays(seen, factors[train], unseen, factors[test]), abs=1e-12
        )


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (sap(rep, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert first["sap"] == pytest.approx(np.mean([first[f"sap_factor_{k}"] for k in range(4)]))


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([BITS[:, :2], np.full(8, 2)]).repeat(50, axis=0)
    rep = Representation(factors.astype(float), factors, (2, 2, 5))
    scores = sap(rep, rng=np.random.default_rng(0), continuous=True)
    assert scores.keys() == {"sap", "sap_factor_0", "sap_factor_1"}


def test_a_value_that_training_lacks_is_never_predicted():
    train = np.array([[0], [1]]).repeat(4, axis=0)
    test = np.array([[0], [1], [2], [2]])
    np.testing.assert_array_equal(accuracies(train.astype(float), train, test.astype(float), test), [[0.5]])


def test_three_images_have_a_score():
    codes, factors = np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0], [1]])
    assert sap_from_arrays(codes, factors, codes[:1], factors[:1]) in (0.0, 1.0)
    assert sap_from_arrays(codes, factors, codes[:1], factors[:1], continuous=True) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "sap needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"sap needs at least 1 factor\(s\) .* got 0 of 1", id="constant"),
        pytest.param(
            [[0.0], [1.0]],
            [[0], [1]],
            {"inverse_regularization": 0.0},
            "sap needs inverse_regularization > 0, got 0.0",
            id="nothing but the penalty",
        ),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        on_all(codes, np.array(factors), **settings)


def test_the_entry_needs_images_to_train_and_to_test_on():
    rep = Representation(BITS.astype(float), BITS, (2, 2, 2))
    with pytest.raises(ValueError, match="sap needs num_test >= 1, got 0"):
        sap(rep, rng=np.random.default_rng(0), num_test=0)
