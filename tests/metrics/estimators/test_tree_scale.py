import numpy as np
import pytest

from disent_runner.metrics.estimators.tree_scale import tree_scale


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 1e-8, 1.0, 1e8, 1e40, 1e280])
@pytest.mark.parametrize("offset", [0.0, 1e9, -1e6])
def test_codes_of_any_scale_and_offset_are_in_the_range_of_single_precision(scale, offset):
    codes = np.random.default_rng(0).uniform(-1, 1, size=(100, 2)) + offset
    scaled = tree_scale(codes * scale)(codes * scale)
    assert (np.abs(scaled).max(axis=0) >= 2.0**63).all()
    assert (np.abs(scaled).max(axis=0) <= 2.0**64).all()
    place, expected = ((values - values.min(axis=0)) / np.ptp(values, axis=0) for values in (scaled, codes))
    np.testing.assert_allclose(place, expected, atol=1e-6)
    np.testing.assert_array_equal(np.argsort(scaled.astype(np.float32), axis=0), np.argsort(codes, axis=0))


def test_codes_that_lie_near_zero_lose_no_digit():
    codes = np.random.default_rng(0).standard_normal((100, 3)) * [1e-3, 1.0, 30.0] + [0.0, 3.0, -50.0]
    ratio = tree_scale(codes)(codes) / codes
    assert (np.frexp(ratio)[0] == 0.5).all()
    assert (ratio == ratio[0]).all()


def test_other_codes_are_scaled_alike_however_far_they_lie():
    codes = np.array([[1e9], [1e9 + 1.0]])
    others = np.array([[1e9 + 2.0], [1e40], [-1e40]])
    scaled = tree_scale(codes)(np.concatenate([codes, others]))[:, 0]
    assert scaled[2] - scaled[1] == scaled[1] - scaled[0] > 0
    assert np.isfinite(scaled.astype(np.float32)).all()
    assert scaled[4] < scaled[0] < scaled[2] < scaled[3]


def test_a_constant_code_stays_constant():
    for value in (0.0, 0.1, 1e300):
        assert len(np.unique(tree_scale(np.full((3, 1), value))(np.full((3, 1), value)))) == 1
