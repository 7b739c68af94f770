import numpy as np
import pytest

from disent_runner.representations.representation import Representation, weights_among

CODES, FACTORS, SIZES = np.zeros((4, 2)), np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), (2, 2)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_what_belongs_together_is_kept(dtype):
    rep = Representation(CODES, FACTORS.astype(dtype), SIZES, logvar=CODES)
    assert rep.logvar is rep.codes is CODES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros(4)}, r"codes must be \(N, D\) and factors \(N, K\), got shapes \(4,\) and \(4, 2\)"),
        ({"codes": np.zeros((3, 2))}, "one row per image, got 3 and 4"),
        ({"codes": np.zeros((4, 0))}, r"must not be empty, got shape \(4, 0\)"),
        ({"factor_sizes": (2, 2, 2)}, r"factors has 2 columns, but factor_sizes is \(2, 2, 2\)"),
        ({"logvar": np.zeros((4, 1))}, r"logvar must have the shape of codes \(4, 2\), got \(4, 1\)"),
        ({"factors": FACTORS.astype(float)}, "factors must be integer value indices, got float64"),
        ({"factors": FACTORS + 1}, "factor_0 must hold values 0 to 1, or -1 for unknown, got 1 to 2"),
        ({"factors": FACTORS - [0, 2]}, "factor_1 must hold values 0 to 1, or -1 for unknown, got -2 to -1"),
        ({"codes": np.array([[np.nan, 0], [0, np.inf], [0, 0], [0, 0]])}, "codes hold 2 values that are NaN or inf"),
        ({"codes": CODES.astype(int)}, "codes must be floating point, got int64"),
        ({"logvar": np.full((4, 2), -np.inf)}, "logvar hold 8 values that are NaN or infinite"),
        ({"logvar": np.full((4, 2), 701.0)}, "logvar must be log variances in nats, up to 700.0, got 701.0"),
        ({"categorical": (2, 2)}, r"categorical codes of sizes \(2, 2\) do not fit 2 numbers"),
        ({"weights": np.ones((4, 1))}, r"weights must be one number for each of 4 images, got shape \(4, 1\)"),
        ({"weights": np.array([1.0, 2.0, 0.0, -1.0])}, "finite, not negative and not all 0, got -1.0 to 2.0"),
        ({"weights": np.array([1.0, 2.0, 0.0, np.nan])}, "finite, not negative and not all 0, got nan to nan"),
        ({"weights": np.zeros(4)}, "finite, not negative and not all 0, got 0.0 to 0.0"),
    ],
)
def test_what_does_not_is_refused(change, message):
    fields = {"codes": CODES, "factors": FACTORS, "factor_sizes": SIZES, "logvar": None} | change
    with pytest.raises(ValueError, match=message):
        Representation(**fields)


def test_weights_of_some_images_are_their_share_among_them():
    weights = np.array([0.5, 0.2, 0.3, 0.0])
    np.testing.assert_allclose(weights_among(weights, np.array([1, 2, 3])), [0.4, 0.6, 0.0])  # pyright: ignore
    assert weights_among(weights, np.array([3])) is None
    assert weights_among(None, np.array([3])) is None


def test_a_sample_of_a_posterior_that_its_precision_cannot_hold_is_refused():
    rep = Representation(CODES.astype(np.float32), FACTORS, SIZES, logvar=np.full((4, 2), 200.0, np.float32))
    with pytest.raises(ValueError, match="needs codes that float32 can hold, got logvar up to 200"):
        rep.sampled(np.random.default_rng(0))
    point = Representation(CODES, FACTORS, SIZES, logvar=np.full((4, 2), -2_000.0)).sampled(np.random.default_rng(0))
    np.testing.assert_array_equal(point.codes, CODES)
