import itertools

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif

from disent_runner.metrics.estimators.neighbor_information import neighbor_information

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))


@pytest.mark.parametrize("num_neighbors", [1, 3, 10])
def test_neighbor_information_is_scikit_learn_s_on_continuous_codes(num_neighbors):
    rng = np.random.default_rng(num_neighbors)
    factors = rng.integers(0, [3, 30], size=(1_000, 2))
    codes = factors @ rng.standard_normal((2, 3)) * [1.0, 1e-2, 0.0] + rng.standard_normal((1_000, 3))
    expected = [mutual_info_classif(codes, values, n_neighbors=num_neighbors, random_state=0) for values in factors.T]
    actual = neighbor_information(codes, factors, num_neighbors=num_neighbors)
    np.testing.assert_allclose(actual, np.transpose(expected), atol=1e-3)
    shifted = neighbor_information(-7.0 * codes + 3.0, factors, num_neighbors=num_neighbors)
    np.testing.assert_allclose(shifted, actual, atol=1e-9)


@pytest.mark.parametrize("num_neighbors", [1, 3, 10])
def test_neighbor_information_counts_what_lies_nearer_than_the_neighbor(num_neighbors):
    """Ross 2014, eq. 2, with values that few images have, or one, which is left out."""
    rng = np.random.default_rng(num_neighbors)
    values = rng.integers(0, 80, size=200)
    code = values / 20 + rng.standard_normal(200)
    shared = np.bincount(values)[values] > 1
    terms = []
    for image in np.flatnonzero(shared):
        distance = np.abs(code - code[image])
        others = np.sort(distance[(values == values[image]) & (np.arange(200) != image)])
        neighbors = min(num_neighbors, len(others))
        nearer = (distance[shared] < others[neighbors - 1]).sum()
        terms.append(digamma(neighbors) - digamma(len(others) + 1) - digamma(nearer))
    expected = digamma(shared.sum()) + np.mean(terms)
    assert 0 < shared.sum() < 200
    actual = neighbor_information(code[:, None], values[:, None], num_neighbors=num_neighbors)
    assert actual[0, 0] == pytest.approx(expected, abs=1e-12)


def test_neighbor_information_of_equal_codes_has_a_closed_form():
    factors = np.tile(GRID, (20, 1))
    information = neighbor_information(
        np.column_stack([factors, np.zeros(1200)]).astype(float), factors, num_neighbors=3
    )
    expected = np.vstack([np.diag(digamma(1200) - digamma(1200 / np.array(SIZES))), np.zeros(3)])
    np.testing.assert_allclose(information, expected, atol=1e-12)


@pytest.mark.parametrize("copies", [2, 4, 50])
def test_a_row_that_repeats_is_one_image(copies):
    """Also of a code that tells nothing, where copies of an image would be its nearest neighbours, all of its value."""
    rng = np.random.default_rng(copies)
    factors = rng.integers(0, [4, 2], size=(300, 2))
    codes = np.column_stack([rng.standard_normal((300, 2)), factors[:, 0] + 0.3 * rng.standard_normal(300)])
    once = neighbor_information(codes, factors, num_neighbors=3)
    assert once[:2].max() < 0.15 < 0.5 < once[2, 0]  # of at most log 4
    codes, factors = np.tile(codes, (copies, 1)), np.tile(factors, (copies, 1))
    np.testing.assert_allclose(neighbor_information(codes, factors, num_neighbors=3), once, atol=1e-12)
    unseen = np.repeat(np.arange(copies), 300)  # differs between the copies, which the codes do not
    information = neighbor_information(codes, np.column_stack([factors, unseen]), num_neighbors=3)
    np.testing.assert_allclose(information, np.pad(once, [(0, 0), (0, 1)]), atol=1e-12)


def test_equal_codes_of_different_values_are_different_images():
    """Each code comes with either value of the bit, so that it tells nothing of it, in whatever order they come."""
    code = np.tile(np.random.default_rng(0).standard_normal(200), 2)
    bit = (np.sign(code) * np.repeat([1, -1], 200) > 0).astype(int)
    assert neighbor_information(code[:, None], bit[:, None], num_neighbors=3)[0, 0] == pytest.approx(0.0, abs=0.01)


def test_rows_of_discrete_codes_are_images_of_their_own():
    """A bit that is right nine times in ten: its four different rows do not say how often."""
    factors = np.repeat([[0], [0], [1], [1]], [450, 50, 450, 50], axis=0)
    codes = np.repeat([[0.0], [1.0], [1.0], [0.0]], [450, 50, 450, 50], axis=0)
    expected = np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1)
    assert neighbor_information(codes, factors, num_neighbors=3)[0, 0] == pytest.approx(expected, abs=0.01)
    both = np.tile(np.array(list(itertools.product(range(6), range(5)))), (20, 1))
    information = neighbor_information(both.astype(float), both, num_neighbors=3)
    np.testing.assert_allclose(information, np.diag(np.log([6, 5])), atol=0.02)


def test_as_many_discrete_codes_as_rows_are_too_few_to_have_neighbors():
    code = np.tile(np.arange(4.0), 100)
    information = neighbor_information(code[:, None], code.astype(int)[:, None], num_neighbors=3)
    assert information == pytest.approx(np.log(4), abs=0.01)
    code = np.tile(np.arange(10.0), 100)  # even or odd
    information = neighbor_information(code[:, None], code.astype(int)[:, None] % 2, num_neighbors=3)
    assert information == pytest.approx(np.log(2), abs=0.01)


def test_of_evenly_spaced_codes_what_is_as_near_as_the_neighbor_is_not_nearer():
    """Ross 2014, eq. 2, in whole numbers; in single precision far from 0 equal distances differ by rounding alone."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, size=40)
    steps = rng.permutation(40) + 40 * (values == 2)
    distance, is_same = np.abs(steps[:, None] - steps), values[:, None] == values
    radius = [np.sort(distance[image, is_same[image]])[3] for image in range(40)]
    nearer = distance < np.array(radius)[:, None]
    same, every = (nearer & is_same).sum(axis=1), nearer.sum(axis=1)
    expected = digamma(40) + np.mean(digamma(same) - digamma(is_same.sum(axis=1)) - digamma(every))
    for codes in (steps[:, None].astype(np.float64), (1e5 + 0.1 * steps[:, None]).astype(np.float32)):
        actual = neighbor_information(codes, values[:, None], num_neighbors=3)
        np.testing.assert_allclose(actual, expected, atol=1e-12)
