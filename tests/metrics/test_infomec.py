import itertools
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import entr
from scipy.stats import norm

from disent_runner.metrics.infomec import (
    active_codes,
    concentration,
    explicitness,
    infomec,
    infomec_from_arrays,
)
from disent_runner.representations.representation import Representation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # the stage ignores it too

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information
PAIR = np.array(list(itertools.product(range(2), range(2))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled")


def on_grid(codes, *, factors=GRID, estimator="binned", **settings: Any):
    """Scores where every image is both a train and a test image."""
    codes = np.asarray(codes, dtype=float)
    return infomec_from_arrays(codes, factors, codes, factors, estimator=estimator, **settings)


def noisy_bits(num_images, *, seed, mean=1.0):
    """A bit, beside it a code from N(±mean, 1), and the information between them in nats."""
    rng = np.random.default_rng(seed)
    bit = rng.integers(0, 2, size=(num_images, 1))
    code = (2 * bit - 1) * mean + rng.standard_normal((num_images, 1))

    def entropy_density(z):
        return entr((norm.pdf(z, mean) + norm.pdf(z, -mean)) / 2)

    information = quad(entropy_density, -10 - mean, 10 + mean)[0] - 0.5 * np.log(2 * np.pi * np.e)
    return bit, code, information


@pytest.mark.parametrize(
    ("grid", "name"),
    [("small", name) for name in REPRESENTATIONS] + [("dsprites", "rotated"), ("dsprites", "entangled")],
)
def test_modularity_and_compactness_follow_from_the_reference_library_s_information(grid, name, train_arrays, load):
    codes, factors = train_arrays(grid, name)
    reference = load("information")
    fractions = reference[f"{grid}_{name}"] / reference[f"{grid}_factor_entropy"]
    width = [max(code) - min(code) for code in codes.T]
    fractions = fractions[[j for j in range(len(width)) if width[j] > max(width) / 8]]
    num_codes, num_factors = fractions.shape
    few = slice(0, 50)
    scores = infomec_from_arrays(
        codes, factors.astype(np.uint8), codes[few], factors[few], estimator="binned", max_iter=1
    )
    row_share = np.mean([max(row) / sum(row) for row in fractions])
    column_share = np.mean([max(column) / sum(column) for column in fractions.T])
    expected = {
        "infom": (row_share - 1 / num_factors) / (1 - 1 / num_factors),
        "infoc": (column_share - 1 / num_codes) / (1 - 1 / num_codes),
        "infom_gap": np.mean([np.diff(sorted(row)[-2:]) for row in fractions]),
        "infoc_gap": np.mean([np.diff(sorted(column)[-2:]) for column in fractions.T]),
        "infomec_active_codes": num_codes,
    }
    assert {key: scores[key] for key in expected} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("codes", "modularity", "compactness"),
    [
        pytest.param(GRID, 1, [1, 1, 1], id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 3.0] + 7.0, 1, [1, 1, 1], id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 1, [1, 1, 1], id="beside constant codes"),
        pytest.param(np.hstack([GRID, 1e-3 * GRID[:, ::-1]]), 1, [1, 1, 1], id="beside small codes"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 1, [0.4, 0.4, 0.4], id="every code twice"),  # (6/2 - 1) / 5
        pytest.param(GRID[:, :2], 1, [1, 1, 0], id="a factor without a code"),
        pytest.param(GRID[:, :1], 1, [1, 0, 0], id="one latent for one of three factors"),
        pytest.param(
            GRID[:, :1] * 3 + GRID[:, 1:2], 1 / 4, [1, 1, 0], id="one latent for two factors"
        ),  # (3/2 - 1) / 2
        pytest.param(np.zeros((60, 3)), 0, [0, 0, 0], id="constant codes"),
    ],
)
def test_modularity_and_compactness_on_a_full_grid(codes, modularity, compactness):
    scores = on_grid(codes)
    assert scores["infom"] == pytest.approx(modularity, abs=1e-12)
    assert [scores[f"infoc_factor_{k}"] for k in range(3)] == pytest.approx(compactness, abs=1e-12)
    assert scores["infoc"] == pytest.approx(np.mean(compactness), abs=1e-12)


@pytest.mark.parametrize("estimator", ["continuous", "binned"])
def test_codes_that_tell_two_factors_equally_are_neither_modular_nor_compact(estimator):
    pair = np.tile(PAIR, (50, 1))
    rotated = np.column_stack([pair.sum(axis=1), pair[:, 0] - pair[:, 1]])
    scores = on_grid(rotated, factors=pair, estimator=estimator)
    assert [scores[key] for key in ("infom", "infoc", "infom_gap", "infoc_gap")] == pytest.approx([0] * 4, abs=1e-12)
    assert scores["infoe"] > 0.99  # a linear classifier undoes the rotation


def test_discrete_codes_need_no_bins():
    codes = np.tile(GRID, (20, 1)).astype(float)
    scores = on_grid(codes, factors=np.tile(GRID, (20, 1)), estimator="continuous")
    assert [scores[key] for key in ("infom", "infoc", "infom_gap", "infoc_gap")] == pytest.approx([1.0] * 4)


def test_concentration_is_zero_for_equal_and_one_for_single_entries():
    information = np.array([[1.0, 1.0, 1.0], [0.0, 0.3, 0.0], [1e-16, 0.0, 0.0], [2.0, 1.0, 1.0]])
    np.testing.assert_allclose(concentration(information), [0.0, 1.0, 0.0, 0.25], atol=1e-12)
    np.testing.assert_allclose(concentration(np.array([[0.2], [0.0]])), [1.0, 0.0])


def test_active_codes_have_more_than_a_fraction_of_the_largest_range():
    codes = np.array([[0.0, 0.0, 5.0, 1.0], [8.0, 1.0, 6.5, 1.0]])
    np.testing.assert_array_equal(active_codes(codes, 1 / 8), [True, False, True, False])
    np.testing.assert_array_equal(active_codes(codes, 0.0), [True, True, True, False])
    assert not active_codes(codes[:, 3:], 0.0).any()


def test_neighbor_information_and_explicitness_of_a_noisy_bit_are_its_information():
    for seed in range(3):
        bit, code, expected = noisy_bits(20_000, seed=seed)
        scores = infomec_from_arrays(code[:10_000], bit[:10_000], code[10_000:], bit[10_000:])
        assert scores["infom_gap"] * np.log(2) == pytest.approx(expected, abs=0.02)  # standard errors below 0.007
        assert scores["infoe"] * np.log(2) == pytest.approx(expected, abs=0.025)  # the best classifier is logistic
        assert scores["infoe_train"] * np.log(2) == pytest.approx(expected, abs=0.025)


def test_explicitness_is_measured_on_images_that_the_classifier_has_not_seen():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        codes, factors = rng.standard_normal((4_400, 20)), rng.integers(0, 2, size=(4_400, 1))
        scores = infomec_from_arrays(codes[:400], factors[:400], codes[400:], factors[400:])
        assert scores["infoe_train"] > 0.01  # expected: 20 coefficients / (2 * 400 images * log 2) = 0.036
        assert scores["infoe"] < 0


def test_explicitness_of_values_that_share_a_code():
    factors = np.tile(GRID, (5, 1))
    codes = np.abs(factors - 1.0)[:, [1]]  # values 0 and 2 of three are one code, which is left to guess
    expected = 1 - (2 / 3) * np.log(2) / np.log(3)
    scores = on_grid(codes, factors=factors[:, [1]])
    assert scores["infoe"] == pytest.approx(expected, abs=5e-3)
    assert scores["infoe_factor_0"] == scores["infoe"] == scores["infoe_train"]


def test_explicitness_of_a_rare_value_is_relative_to_guessing_all_values_equally_often():
    rng = np.random.default_rng(0)
    factors = (rng.uniform(size=(4_000, 1)) < 0.05).astype(int)
    scores = on_grid(np.zeros((4_000, 1)), factors=factors)
    assert scores["infoe"] == pytest.approx(0.0, abs=1e-6)
    assert on_grid(factors, factors=factors)["infoe"] > 0.99


def test_test_images_of_a_value_without_train_image_are_left_out():
    train, test = np.array([[0], [1]] * 20), np.array([[0], [1], [2]])
    scores = explicitness(train.astype(float), train, test.astype(float), test, max_iter=100)
    assert scores["test"] == pytest.approx(scores["train"])
    nothing = explicitness(train.astype(float), train, test[2:].astype(float), test[2:], max_iter=100)
    assert nothing["test"] == [0.0]


def test_noise_of_full_range_is_modular_by_chance_but_has_no_gap():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 6, size=(5_000, 5))
    scores = infomec_from_arrays(rng.standard_normal((5_000, 8)), factors, rng.standard_normal((9, 8)), factors[:9])
    assert 0 < scores["infom"] < 1
    assert scores["infom_gap"] < 0.02
    assert scores["infoc_gap"] < 0.02


def test_entry_on_every_image_of_a_grid(full_representation):
    rep = full_representation("small", "noisy_dead")
    first, again, other = (
        infomec(rep, rng=np.random.default_rng(seed), num_train=500, num_test=300) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert first["infomec_active_codes"] == 4  # four codes for four factors, others of a thousandth of their range
    assert min(first["infom"], first["infoc"]) > 0.9
    assert min(first["infom_gap"], first["infoc_gap"], first["infoe"]) > 0.5


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([np.full(len(GRID), 2), GRID])
    scores = on_grid(GRID, factors=factors)
    assert scores["infom"] == pytest.approx(1.0)
    assert {key for key in scores if "factor" in key} == {
        f"{k}_factor_{f}" for k in ("infoc", "infoe") for f in (1, 2, 3)
    }


def test_a_single_factor_and_a_single_code_are_concentrated():
    scores = on_grid(GRID[:, :1], factors=GRID[:, :1])
    assert [scores[key] for key in ("infom", "infoc", "infom_gap", "infoc_gap")] == pytest.approx([1.0] * 4)


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "infomec needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"infomec needs at least 1 factor\(s\) .* got 0", id="constant"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"num_bins": 0}, "infomec needs num_bins >= 1, got 0", id="bins"),
        pytest.param(
            [[0.0], [1.0]], [[0], [1]], {"max_iter": 0}, "infomec needs max_iter >= 1, got 0", id="iterations"
        ),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"prune_range": 1.0}, "prune_range from 0 to below 1", id="range"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"estimator": "ksg"}, "continuous, binned, got 'ksg'", id="estimator"),
        pytest.param(
            [[0.0], [1.0]],
            [[0], [1]],
            {"estimator": "continuous"},
            "share a factor's value, got 2 different",
            id="unique",
        ),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        on_grid(codes, factors=np.array(factors), **settings)


def test_the_entry_says_what_it_lacks():
    rep = Representation(np.array([[0.0], [1.0]]), np.array([[0], [1]]), (2,))
    with pytest.raises(ValueError, match=r"infomec needs at least 1 factor\(s\) .* in 1 images"):
        infomec(rep, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="infomec needs num_test >= 1, got 0"):
        infomec(rep, rng=np.random.default_rng(0), num_test=0)
    with pytest.raises(ValueError, match="infomec needs ground-truth factors, got none"):
        infomec(Representation(rep.codes, rep.factors[:, :0], ()), rng=np.random.default_rng(0))
