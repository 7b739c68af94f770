import itertools

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.decomposition import PCA

from disent_runner.metrics.factored_components import (
    agreement_of_distances,
    factored_components,
    linearity_from_traversals,
)
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

SIZES = (4, 3, 6)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
COMPONENTS = ("factored_correlation", "factored_linearity", "factored_axis_alignment")


def score(codes, *, factors=GRID, seed=0, **settings):
    sizes = tuple(int(size) for size in factors.max(axis=0) + 1)
    rep = Representation(np.asarray(codes, dtype=np.float32), factors, sizes)
    return factored_components(rep, rng=np.random.default_rng(seed), **settings)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(GRID, (1, 1, 1), id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [300.0, -0.2, 1.0] + 7.0, (1, 1, 1), id="in any order, sign and scale"),
        pytest.param(GRID / 7 * 2 - 1, (1, 1, 1), id="in steps that no float has"),
        pytest.param(np.hstack([GRID, np.full((72, 2), 0.1)]), (1, 1, 1), id="beside constant codes"),
        # two of six variances are the same: (1/2 - 1/6) / (1 - 1/6)
        pytest.param(np.hstack([GRID, -GRID]), (1, 1, 0.4), id="every code twice"),
        pytest.param(np.full((72, 3), 0.1), (0, 0, 0), id="constant codes"),
        pytest.param(GRID[:, :2], (0, 0, 0), id="nothing for one of three factors"),
        pytest.param(GRID.sum(axis=1, keepdims=True), (1, 1, 1), id="one code for all factors"),
    ],
)
def test_components_on_a_full_grid(codes, expected):
    scores = score(codes)
    assert [scores[key] for key in COMPONENTS] == pytest.approx(expected, abs=1e-6)
    assert scores["factored_components"] == pytest.approx(np.prod(expected) ** (1 / 3), abs=1e-6)


def test_two_factors_turned_by_45_degrees_lie_on_lines_but_no_axes():
    turn = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    scores = score(GRID @ turn)
    # two of three variances are the same: (1/2 - 1/3) / (1 - 1/3)
    expected = {"axis_alignment": [0.25, 0.25, 1], "linearity": [1, 1, 1], "correlation": [1, 1, 1]}
    for key, values in expected.items():
        assert [scores[f"factored_{key}_factor_{k}"] for k in range(3)] == pytest.approx(values, abs=1e-6)
    assert scores["factored_axis_alignment"] == pytest.approx(16 ** (-1 / 3))
    assert scores["factored_axis_ratio"] == pytest.approx(16 ** (-1 / 3))


def test_a_bent_line_is_in_order_but_not_linear_in_distance():
    scores = score(np.exp(GRID / 2))
    assert [scores[key] for key in COMPONENTS[1:]] == pytest.approx([1, 1])
    assert scores["factored_correlation"] < 1
    assert 0.8 < scores["factored_linear_correlation"] < 1


def test_a_missing_factor_shows_in_its_own_numbers():
    scores = score(GRID[:, :2])
    for key in ("correlation", "linearity", "axis_alignment"):
        assert [scores[f"factored_{key}_factor_{k}"] for k in range(3)] == pytest.approx([1, 1, 0], abs=1e-6)


def test_an_axis_that_changes_with_the_other_factors_is_not_shared():
    """Half of the traversals of the first factor use one code, half the other: two equal variances of two."""
    factors = np.array(list(itertools.product(range(5), range(2))))
    codes = np.stack([np.where(factors[:, 1] == side, factors[:, 0], 0) for side in range(2)], axis=1)
    groups = [codes[factors[:, 1] == side][None].astype(float) for side in range(2)]
    assert linearity_from_traversals(groups) == pytest.approx(
        {"linearity": 1, "axis_alignment": 1, "axis_ratio": 1, "axis_ratio_shared": 0}
    )


@pytest.mark.parametrize("shape", [(5, 3), (3, 4), (40, 10)])
def test_linearity_is_the_share_of_principal_components_and_axes(shape):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((6, *shape)) * np.arange(1, shape[1] + 1)
    count = shape[1]
    shares = []
    for points in codes:
        line = PCA().fit(points).explained_variance_ratio_[0]
        axis = points.var(axis=0).max() / points.var(axis=0).sum()
        shares.append([(share - 1 / count) / (1 - 1 / count) for share in (line, axis)])
    line, axis = np.transpose(shares)
    found = linearity_from_traversals([codes[:2], codes[2:]])
    assert found["linearity"] == pytest.approx(line.mean())
    assert found["axis_ratio"] == pytest.approx(axis.mean())
    assert found["axis_alignment"] == pytest.approx((axis / line).mean())


def test_a_circle_is_two_equal_variances_of_two():
    angle = 2 * np.pi * np.arange(12) / 12
    found = linearity_from_traversals([np.stack([np.cos(angle), np.sin(angle)], axis=1)[None]])
    assert found["linearity"] == pytest.approx(0, abs=1e-12)
    assert found["axis_ratio"] == pytest.approx(0, abs=1e-12)


def test_agreement_of_distances_is_scipy_s_correlation():
    rng = np.random.default_rng(0)
    factors = rng.integers(5, size=(300, 2)).astype(float)
    codes = factors + rng.random((300, 2))
    found = agreement_of_distances(factors, codes)
    assert found["correlation"] == pytest.approx(spearmanr(factors.ravel(), codes.ravel())[0], abs=1e-5)
    assert found["linear_correlation"] == pytest.approx(pearsonr(factors.ravel(), codes.ravel())[0])


def test_ordering_is_the_share_of_triplets_in_the_same_order():
    factors = np.array([[1, 2], [1, 2], [1, 2], [2, 2], [2, 2], [3, 0]], dtype=float)
    codes = np.array([[5, 6], [6, 5], [5, 5], [1, 1], [1, 2], [0.2, 0.1]])
    assert agreement_of_distances(factors, codes)["ordering"] == pytest.approx(3 / 6)


def test_distances_that_differ_by_rounding_are_the_same():
    codes = np.arange(40, dtype=np.float32) * np.float32(0.1)  # neighbours are not all at the same distance
    assert len(np.unique(np.diff(codes))) > 1
    scores = score(codes[:, None], factors=np.arange(40)[:, None])
    assert scores["factored_correlation"] == pytest.approx(1, abs=1e-9)
    assert scores["factored_ordering"] == 1


def test_random_images_differ_in_all_factors():
    """With the city block distance of codes the agreement with that of the factors is complete."""
    scores = score(GRID, norm=1)
    assert [scores[f"factored_{key}_global"] for key in ("correlation", "linear_correlation", "ordering")] == (
        pytest.approx([1, 1, 1])
    )
    assert 0.5 < score(GRID)["factored_correlation_global"] < 1


def ordering_by_chance(num_values):
    """Share of triplets of values with the same order of distances for codes that know nothing but who is who."""
    anchor, one, other = np.indices((num_values,) * 3)
    certain = (one == other) | (anchor == one) | (anchor == other)
    tied = np.abs(anchor - one) == np.abs(anchor - other)
    return np.where(certain, 1, np.where(tied, 0, 0.5)).mean()


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_are_in_order_by_chance(seed):
    factors = np.stack(np.unravel_index(np.arange(40 * 60), (40, 60)), axis=1)
    codes = np.random.default_rng(seed).standard_normal((len(factors), 10))
    scores = score(codes, factors=factors, seed=seed)
    expected = (ordering_by_chance(40) * ordering_by_chance(60)) ** 0.5
    assert scores["factored_ordering"] == pytest.approx(expected, abs=0.02)
    assert 0 < scores["factored_correlation_factor_0"] < 0.15  # an image is at no distance from itself
    assert scores["factored_linearity_factor_0"] < 0.2


def test_correlations_below_zero_count_as_zero_in_the_mean():
    codes = np.array([0.0, 5.0, 1.0, 6.0, 2.0, 7.0])[GRID[:, [2]]]  # neighbours are far, the next but one near
    scores = score(np.hstack([GRID[:, :2], codes]))
    assert scores["factored_correlation_factor_2"] < 0.5
    assert agreement_of_distances(np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]]))["correlation"] == pytest.approx(-1)
    assert 0 <= scores["factored_correlation"] < 1


def test_a_perfect_code_is_perfect_on_any_images():
    kept = np.random.default_rng(0).permutation(72)[:35]
    assert score(GRID[kept], factors=GRID[kept])["factored_components"] == pytest.approx(1)


def test_draws_come_from_the_given_generator():
    codes = np.random.default_rng(0).standard_normal((72, 3)) + GRID
    first, again, other = (score(codes, seed=seed, num_repeats=5)["factored_components"] for seed in (0, 0, 1))
    assert first == again != other


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([GRID, np.full(72, 2)])
    assert not any(key.endswith("_factor_3") for key in score(GRID, factors=factors))


def test_images_without_traversals_have_no_score():
    factors = np.array([[0, 1], [1, 2], [2, 0]])
    with pytest.raises(NotApplicable, match="factored_components needs 3 images that differ in one factor only"):
        score(factors, factors=factors)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_repeats": 0}, "factored_components needs num_repeats >= 1, got 0"),
        ({"num_triplets": 0}, "factored_components needs num_triplets >= 1, got 0"),
        ({"subset_size": 0}, "factored_components needs subset_size >= 1, got 0"),
        ({"norm": 3}, "factored_components needs norm 1 or 2, got 3"),
    ],
)
def test_errors_name_the_metric_and_the_reason(settings, message):
    with pytest.raises(ValueError, match=message):
        score(GRID, **settings)


def test_codes_must_be_finite():
    with pytest.raises(ValueError, match="factored_components needs finite codes, got 1 value"):
        linearity_from_traversals([np.array([[[0.0], [np.nan]]])])
    with pytest.raises(ValueError, match="factored_components needs finite codes, got 1 value"):
        agreement_of_distances(np.ones((1, 2)), np.array([[0.0, np.inf]]))
