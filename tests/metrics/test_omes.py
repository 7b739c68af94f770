import numpy as np
import pytest

from disent_runner.metrics.omes import draw_pairs, lost_correlation, multiple_encoding, omes, overlap
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (6, 5, 8)
GRID = np.stack(np.unravel_index(np.arange(240), SIZES), axis=1)
VALUES = GRID.astype(float)
PAIRS_DIFFER = [1 - 1 / (size - 1) for size in SIZES]
"""What is lost of a code of one factor: of two different values drawn at random the correlation is -1 / (n - 1)."""


def score(codes, factors=GRID, copies=1, **settings):
    rep = Representation(np.tile(np.asarray(codes, dtype=float), (copies, 1)), np.tile(factors, (copies, 1)), SIZES)
    return omes(rep, rng=np.random.default_rng(0), **settings)


def by_the_authors_loops(sensitivity, pooling):
    """Both scores of each factor, code by code, as src/evaluation/metrics/omes.py goes."""
    num_codes, num_factors = sensitivity.shape
    scores = []
    for factor in range(num_factors):
        overlaps, encodings = [], []
        for code in range(num_codes):
            row, column = np.zeros(num_factors), np.zeros(num_codes)
            row[factor] = column[code] = 1
            overlaps.append(1 - np.mean(np.abs(row - sensitivity[code])))
            encodings.append(1 - np.mean(np.abs(column - sensitivity[:, factor])))
        weights = sensitivity[:, factor]
        pool = np.max if pooling == "max" else lambda values, w=weights: np.average(values, weights=w)
        scores.append([pool(np.array(part) * weights) for part in (overlaps, encodings)])
    return np.array(scores)


@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 5), (1, 1)])
def test_both_scores_are_the_authors(shape, pooling, rng):
    sensitivity = rng.random(shape)
    expected = by_the_authors_loops(sensitivity, pooling)
    np.testing.assert_allclose(overlap(sensitivity, pooling), expected[:, 0])
    np.testing.assert_allclose(multiple_encoding(sensitivity, pooling), expected[:, 1])


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_one_code_for_each_factor_is_perfect_and_a_factor_of_no_code_has_0(pooling):
    for sensitivity, expected in ((np.eye(4), np.ones(4)), (np.eye(4)[:, [0, 1]], np.ones(2))):
        np.testing.assert_allclose(overlap(sensitivity, pooling), expected)
        np.testing.assert_allclose(multiple_encoding(sensitivity, pooling), expected)
    np.testing.assert_allclose(overlap(np.eye(4)[:3], pooling), [1, 1, 1, 0])
    np.testing.assert_allclose(multiple_encoding(np.eye(4)[:3], pooling), [1, 1, 1, 0])


def test_correlations_are_numpy_s(rng):
    first, second = rng.normal(size=(2, 30, 3))
    second[:, 1] += 2 * first[:, 1]
    first[:, 2] = second[:, 2] = 0.1
    expected = [1 - abs(np.corrcoef(first[:, k], second[:, k])[0, 1]) for k in range(2)]
    np.testing.assert_allclose(lost_correlation(first, second), [*expected, 0])


@pytest.mark.parametrize("column", range(3))
def test_pairs_differ_in_one_factor_and_no_image_is_in_two(column, rng):
    pairs = draw_pairs(GRID, column, 10_000, rng)
    first, second = GRID[pairs[:, 0]], GRID[pairs[:, 1]]
    np.testing.assert_array_equal(np.flatnonzero((first != second).any(axis=0)), [column])
    assert (first[:, column] != second[:, column]).all()
    assert len(np.unique(pairs)) == 2 * len(pairs) == 240 // SIZES[column] * (SIZES[column] // 2) * 2
    assert len(draw_pairs(GRID, column, 7, rng)) == 7


def test_images_without_a_partner_are_in_no_pair(rng):
    factors = np.array([[0, 0], [0, 0], [1, 1], [0, 2], [1, 2]])
    assert sorted(draw_pairs(factors, 0, 10, rng)[0]) == [3, 4]
    assert len(draw_pairs(factors, 0, 10, rng)) == 1


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_code_of_each_factor_loses_what_different_values_do(pooling):
    """By the authors' loops on the law of pairs: nothing changes in codes of other factors."""
    scores = score(VALUES[:, [2, 0, 1]] * [1, -2, 3] - 7, copies=400, pooling=pooling)
    expected = by_the_authors_loops(np.diag(PAIRS_DIFFER), pooling)
    for place, name in enumerate(["omes_overlap", "omes_multiple_encoding"]):
        assert [scores[f"{name}_factor_{k}"] for k in range(3)] == pytest.approx(expected[:, place], abs=0.02)
        assert scores[name] == pytest.approx(expected[:, place].mean(), abs=0.02)
    assert scores["omes"] == pytest.approx(expected.mean(), abs=0.02)
    assert scores["omes_factor_1"] == pytest.approx(expected[1].mean(), abs=0.02)


def test_alpha_weighs_the_two():
    codes = VALUES @ np.random.default_rng(0).normal(size=(3, 4))
    overlap_alone, both, encoding_alone = (score(codes, alpha=alpha) for alpha in (1, 0.25, 0))
    assert overlap_alone["omes"] == overlap_alone["omes_overlap"]
    assert encoding_alone["omes"] == encoding_alone["omes_multiple_encoding"]
    assert both["omes"] == pytest.approx(0.25 * overlap_alone["omes"] + 0.75 * encoding_alone["omes"])


def test_a_duplicated_code_costs_multiple_encoding_and_a_mixed_one_overlap():
    perfect, twice = score(VALUES, copies=20), score(np.hstack([VALUES, VALUES]), copies=20)
    assert twice["omes_overlap"] == pytest.approx(perfect["omes_overlap"], abs=0.02)
    assert twice["omes_multiple_encoding"] < perfect["omes_multiple_encoding"] - 0.05
    standard = (VALUES - VALUES.mean(axis=0)) / VALUES.std(axis=0)
    mixed = score(standard @ np.linalg.qr(np.vander([1, 2, 3]))[0], copies=20)
    assert mixed["omes_overlap"] < perfect["omes_overlap"] - 0.1


def test_codes_that_hardly_vary_are_left_out():
    noise = np.random.default_rng(1).normal(size=(240, 2)) * 0.01
    assert score(np.hstack([VALUES, noise, np.ones((240, 1))])) == score(VALUES)
    assert score(np.hstack([VALUES, np.ones((240, 1))]), prune_threshold=0) == score(VALUES)
    assert set(score(noise).values()) == {0.0}


def test_factors_without_pairs_and_images_of_unknown_labels_are_left_out():
    assert "omes_factor_1" not in score(VALUES, GRID * [1, 0, 1])
    factors = np.where(np.arange(240)[:, None] % 7 == 0, UNKNOWN, GRID)
    known = factors[:, 0] != UNKNOWN
    assert score(VALUES, factors) == score(VALUES[known], GRID[known])


@pytest.mark.parametrize(
    ("factors", "settings", "error", "message"),
    [
        pytest.param(np.arange(6).repeat(40)[:, None] % [6, 5, 8], {}, NotApplicable, "pairs of images", id="no pair"),
        pytest.param(GRID, {"num_pairs": 0}, ValueError, "num_pairs >= 1, got 0", id="none asked for"),
        pytest.param(GRID, {"pooling": "sum"}, ValueError, "pooling to be one of average, max, got", id="pooling"),
    ],
)
def test_errors_name_the_metric_and_the_reason(factors, settings, error, message):
    with pytest.raises(error, match=f"omes needs {message}"):
        score(VALUES, factors, **settings)
