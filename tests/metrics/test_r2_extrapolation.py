import numpy as np
import pytest
from scipy.stats import linregress
from sklearn.metrics import r2_score

from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.splits import schott_split
from disent_runner.metrics.r2_extrapolation import last_values, r2_extrapolation, r_squared
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (10, 5, 4)
SPACE = FactorSpace({"a": 10, "b": 5, "c": 4})
GRID = SPACE.factors(np.arange(200))
VALUES = GRID.astype(float)
HELD_OUT = {0: [8, 9], 1: [4], 2: [3]}


def score(codes, factors=GRID, sizes=SIZES, **settings):
    rep = Representation(np.asarray(codes, dtype=float), factors, sizes)
    return r2_extrapolation(rep, rng=np.random.default_rng(0), **settings)


def expected(prediction_of_held_out):
    """By factor, what is left of its variance over all values where the readout says this of those held out."""
    return [
        1 - np.mean([(prediction_of_held_out(k, value) - value) ** 2 for value in values]) / np.var(range(SIZES[k]))
        for k, values in HELD_OUT.items()
    ]


@pytest.mark.parametrize(
    ("codes", "of_held_out"),
    [
        pytest.param(VALUES, lambda k, v: v, id="one latent per factor"),
        pytest.param(VALUES[:, [2, 0, 1]] * [1e6, -2, 1e-6] + 7, lambda k, v: v, id="any order, sign and scale"),
        pytest.param(VALUES @ np.linalg.qr(np.vander([1, 2, 3]))[0], lambda k, v: v, id="rotated"),
        pytest.param(np.hstack([VALUES, VALUES]), lambda k, v: v, id="every latent twice"),
        pytest.param(np.minimum(VALUES, [7, 3, 2]), lambda k, v: min(HELD_OUT[k]) - 1, id="none beyond what was seen"),
    ],
)
def test_r2_on_a_grid(codes, of_held_out):
    scores = score(codes)
    found = [scores[f"r2_extrapolation_factor_{k}"] for k in range(3)]
    assert found == pytest.approx(expected(of_held_out), abs=1e-9)
    assert scores["r2_extrapolation"] == pytest.approx(np.mean(found))
    assert [scores[f"r2_extrapolation_seen_factor_{k}"] for k in range(3)] == pytest.approx([1] * 3, abs=1e-9)


def test_constant_codes_are_read_as_the_mean_of_the_values_seen():
    scores = score(np.full((20_000, 2), 0.1), np.tile(GRID, (100, 1)))
    means = [np.mean(range(min(values))) for values in HELD_OUT.values()]
    found = [scores[f"r2_extrapolation_factor_{k}"] for k in range(3)]
    assert found == pytest.approx(expected(lambda k, v: means[k]), abs=0.1)
    seen = [np.var(range(min(values))) / np.var(range(SIZES[k])) for k, values in HELD_OUT.items()]
    assert [1 - scores[f"r2_extrapolation_seen_factor_{k}"] for k in range(3)] == pytest.approx(seen, abs=0.05)


def test_a_curved_latent_is_read_along_its_chord():
    """By scipy's line through the codes of the values seen, followed beyond them."""
    values = np.repeat(np.arange(10), 5_000)
    codes = np.exp(values / 4)
    scores = score(codes[:, None], values[:, None], (10,), num_train=35_000)
    line = linregress(codes[values < 8], values[values < 8])
    predicted = line.intercept + line.slope * np.exp(np.arange(10) / 4)  # pyright: ignore
    error = (predicted - np.arange(10)) ** 2 / np.var(np.arange(10))
    assert scores["r2_extrapolation"] == pytest.approx(1 - error[8:].mean(), abs=0.01)
    assert scores["r2_extrapolation_seen"] == pytest.approx(1 - error[:8].mean(), abs=0.01)


def test_r2_is_scikit_learn_s_where_the_variance_is_that_of_the_images(rng):
    values, predicted = rng.normal(size=(2, 50))
    assert r_squared(predicted, values, variance=values.var()) == pytest.approx(r2_score(values, predicted))


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_the_values_held_out_are_those_of_the_split(fraction):
    split = schott_split(SPACE, kind="extrapolation", factors=["a", "b", "c"], fraction=fraction)
    np.testing.assert_array_equal(np.any([last_values(values, fraction) for values in GRID.T], axis=0), split)


def test_other_factors_do_not_show_values_that_were_held_out():
    """A latent that fails where two factors are new at once is not found out."""
    count = sum(np.isin(GRID[:, k], values) for k, values in HELD_OUT.items())
    codes = np.where(np.asarray(count)[:, None] > 1, 1e3, VALUES)
    assert score(codes)["r2_extrapolation"] == pytest.approx(1)


def test_factors_of_too_few_values_keep_them_all():
    bits = np.stack(np.unravel_index(np.arange(40), (2, 20)), axis=1)
    scores = score(bits, bits, (2, 20))
    assert scores.keys() == {
        *("r2_extrapolation", "r2_extrapolation_factor_1"),
        *("r2_extrapolation_seen", "r2_extrapolation_seen_factor_1"),
    }
    assert scores["r2_extrapolation"] == pytest.approx(1)


def test_images_with_an_unknown_label_are_left_out():
    factors = np.where(np.arange(200)[:, None] % 7 == 0, UNKNOWN, GRID)
    known = factors[:, 0] != UNKNOWN
    codes = np.random.default_rng(0).normal(size=(200, 4))
    assert score(codes, factors) == score(codes[known], GRID[known])


@pytest.mark.parametrize(
    ("factors", "settings", "error", "message"),
    [
        pytest.param(GRID * 0, {}, NotApplicable, r"at least 1 factor\(s\) with more than one", id="nothing varies"),
        pytest.param(GRID % 2, {}, NotApplicable, "a factor of which two values stay", id="two values"),
        pytest.param(GRID, {"fraction": 0.95}, NotApplicable, "a factor of which two values stay", id="none stays"),
        pytest.param(GRID, {"num_train": 0}, ValueError, "num_train >= 1, got 0", id="no image"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, error, message):
    with pytest.raises(error, match=f"r2_extrapolation needs {message}"):
        score(VALUES, factors, **settings)
