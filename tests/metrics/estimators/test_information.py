import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import mutual_info_score

from disent_runner.metrics.estimators.information import (
    discretize,
    entropy,
    factor_entropies,
    information_gap,
    mutual_information_matrix,
)

REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_information_and_entropy_are_the_reference_library_s(grid, name, train_arrays, load):
    codes, factors = train_arrays(grid, name)
    reference = load("information")
    information = mutual_information_matrix(codes, factors.astype(np.uint8), num_bins=20)
    np.testing.assert_allclose(information, reference[f"{grid}_{name}"], atol=1e-9)
    np.testing.assert_allclose(factor_entropies(factors), reference[f"{grid}_factor_entropy"], atol=1e-9)


@pytest.mark.parametrize("num_bins", [1, 2, 7, 20])
def test_bins_hold_what_numpy_histogram_counts(num_bins):
    codes = np.random.default_rng(0).standard_normal((500, 3)) * [1.0, 1e-3, 1e6]
    codes[:40, 0] = np.linspace(codes[:, 0].min(), codes[:, 0].max(), 40)
    for code, bins in zip(codes.T, discretize(codes, num_bins).T, strict=True):
        counts, edges = np.histogram(code, num_bins)
        np.testing.assert_array_equal(np.bincount(bins, minlength=num_bins), counts)
        np.testing.assert_array_equal(bins, np.digitize(code, edges[:-1]) - 1)


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(1, 0), (-1, 0), (0.1, 0.3), (1 / 3, -2), (7e-8, 0), (1e-38, 0), (1e25, 1e25), (1, 3e3), (1, -3e3)],
)
def test_evenly_spaced_codes_have_the_bins_of_exact_arithmetic(scale, offset):
    for num_values in (3, 6, 11, 21, 31, 41, 61, 101):
        step = np.arange(num_values)
        place = step if scale > 0 else step[::-1]
        expected = np.minimum(20 * place // (num_values - 1), 19)
        code = scale * step.astype(float) + offset
        single = code.astype(np.float32)
        rounded = single * np.float32(0.37)
        bins = [discretize(codes[:, None], 20)[:, 0] for codes in (code, single, rounded)]
        np.testing.assert_array_equal(bins, [expected] * 3)


def test_a_continuous_code_below_an_edge_stays_below_it():
    """As in the reference library: only a code of few values has edges to round to."""
    code = np.concatenate([np.linspace(0, 1, 5_001) ** 2, [0.5 - 1e-7]])
    assert discretize(code[:, None], 20)[-1, 0] == 9
    few = np.append(np.linspace(0, 1, 21), 0.5 - 1e-7)
    assert discretize(few[:, None], 20)[-1, 0] == 10


def test_a_constant_code_is_one_bin_and_does_not_move_the_bins_of_others():
    codes = np.random.default_rng(1).uniform(size=(300, 2))
    with_constant = discretize(np.column_stack([codes, np.full(300, 0.1)]), 20)
    np.testing.assert_array_equal(with_constant[:, :2], discretize(codes, 20))
    assert len(np.unique(with_constant[:, 2])) == 1


@pytest.mark.parametrize("seed", range(3))
def test_information_and_entropy_agree_with_scikit_learn_and_scipy(seed):
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [3, 200], size=(1_000, 2)).astype(np.uint8)
    codes = factors @ rng.standard_normal((2, 4)) + rng.standard_normal((1_000, 4))
    bins = discretize(codes, 15)
    expected = [[mutual_info_score(factor, code) for factor in factors.T] for code in bins.T]
    np.testing.assert_allclose(mutual_information_matrix(codes, factors, num_bins=15), expected, atol=1e-12)
    expected_entropies = [scipy_entropy(np.unique(factor, return_counts=True)[1]) for factor in factors.T]
    np.testing.assert_allclose(factor_entropies(factors), expected_entropies, atol=1e-12)


def test_a_code_tells_log_n_nats_of_a_factor_it_equals_and_nothing_of_an_independent_one():
    factors = np.stack(np.unravel_index(np.arange(12), (3, 4)), axis=1)
    information = mutual_information_matrix(factors.astype(float), factors, num_bins=4)
    np.testing.assert_allclose(information, np.diag(np.log([3, 4])), atol=1e-12)
    assert (information >= 0).all()


def test_entropy_of_counts_is_over_the_last_axis_and_skips_empty_values():
    np.testing.assert_allclose(entropy(np.array([[5, 5, 0], [0, 7, 0]])), [np.log(2), 0.0])


def test_gap_is_between_the_two_largest_as_a_fraction_of_entropy():
    information = np.array([[0.2, 1.0], [0.6, 0.5], [0.1, 0.9]])
    np.testing.assert_allclose(information_gap(information, np.array([0.8, 2.0])), [0.5, 0.05])


def test_the_rival_of_a_single_code_tells_nothing():
    np.testing.assert_allclose(information_gap(np.array([[0.3, 0.0]]), np.array([0.6, 1.0])), [0.5, 0.0])
