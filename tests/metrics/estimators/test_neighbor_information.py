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
