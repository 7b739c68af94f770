import itertools
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from disent_runner.metrics.mig_exact import mig_exact, mig_exact_from_posteriors
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))
NARROW = -12.0  # log variance, nats


def score(mean, logvar, *, factors=GRID, sizes=SIZES, num_samples=600, seed=0, weights=None):
    mean = np.asarray(mean, dtype=float)
    return mig_exact_from_posteriors(
        mean,
        np.broadcast_to(logvar, mean.shape).astype(float),
        factors,
        factor_sizes=sizes,
        num_samples=num_samples,
        rng=np.random.default_rng(seed),
        weights=weights,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aligned", "rotated", "mixed", "duplicated"])
def test_information_agrees_with_quadrature(name, load, oracle):
    arrays = load("posteriors")
    mean, logvar, truth = (arrays[f"chen_mig_{name}_{part}"] for part in ("mean", "logvar", "information"))
    sizes = (4, 5, 6, 7)
    factors = np.stack(np.unravel_index(np.arange(840), sizes), axis=1).astype(np.uint8)
    runs = [score(mean, logvar, factors=factors, sizes=sizes, num_samples=2_520, seed=seed) for seed in range(8)]
    information = np.array([run["mutual_information"] for run in runs])
    standard_error = information.std(axis=0, ddof=1) / len(runs) ** 0.5
    # The clamp at 0 lifts the mean of a pair without information by up to its error.
    assert (np.abs(information.mean(axis=0) - truth.clip(min=0)) < 5 * standard_error + 1e-4).all()
    assert standard_error.max() < 0.01
    assert (information >= 0).all()
    tie = 0.02 if name == "duplicated" else 0.003  # two equal codes leave a gap of the size of the error
    assert np.mean([run["mig_exact"] for run in runs]) == pytest.approx(oracle(f"chen_mig/{name}").expected, abs=tie)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(GRID, 1.0, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 0.5] + 7.0, 1.0, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 1.0, id="beside constant codes"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 0.0, id="every code twice"),
        pytest.param(np.zeros((60, 3)), 0.0, id="constant codes"),
        pytest.param(GRID[:, :1], 1 / 3, id="one latent for one of three factors"),
    ],
)
def test_gap_on_a_full_grid(codes, expected):
    assert score(codes, NARROW)["mig_exact"] == pytest.approx(expected, abs=1e-4)


def test_more_values_than_bins_are_no_loss():
    sizes = (40, 32)
    factors = np.stack(np.unravel_index(np.arange(1_280), sizes), axis=1)
    result = score(factors, NARROW, factors=factors, sizes=sizes)
    assert result["mig_exact"] == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(result["mutual_information"], np.diag(np.log(sizes)), atol=2e-4)


def test_codes_rotated_by_45_degrees_score_far_less():
    rotation = np.array([[1, -1], [1, 1]]) / 2**0.5
    factors = np.stack(np.unravel_index(np.arange(64), (8, 8)), axis=1)
    settings = {"factors": factors, "sizes": (8, 8), "num_samples": 6_400}
    assert score(factors @ rotation, -2.0, **settings)["mig_exact"] < 0.1
    assert score(factors, -2.0, **settings)["mig_exact"] > 0.8


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale_of_the_codes_does_not_matter(scale):
    mean = GRID @ np.random.default_rng(0).standard_normal((3, 4))
    plain, scaled = score(mean, -1.0), score(scale * mean, -1.0 + 2 * np.log(scale))
    np.testing.assert_allclose(scaled["mutual_information"], plain["mutual_information"], atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_information_of_separated_codes_is_discrete_even_on_an_incomplete_grid(seed):
    """Narrow posteriors make the code a discrete variable, whose information scikit-learn counts."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, size=400)
    factors = np.column_stack([values // 2, (values + (rng.random(400) < 0.3)) % 5, rng.integers(0, 2, size=400)])
    result = score(values[:, None], NARROW, factors=factors, sizes=(3, 5, 2), num_samples=1_200)  # 3 each
    expected = [mutual_info_score(values, factor) for factor in factors.T]
    np.testing.assert_allclose(result["mutual_information"][0], expected, atol=1e-4)
    entropies = [mutual_info_score(factor, factor) for factor in factors.T]
    assert result["mig_exact"] == pytest.approx(np.mean(np.divide(expected, entropies)), abs=1e-4)


def test_entry_reports_the_factors_that_vary():
    factors = np.column_stack([GRID[:, 0], np.full(60, 1), GRID[:, 1]])
    codes = np.column_stack([GRID[:, 0], np.full(60, 0.1)])
    rep = Representation(codes, factors, (4, 2, 3), logvar=np.full((60, 2), NARROW))
    scores = mig_exact(rep, rng=np.random.default_rng(0), num_samples=600)
    expected = {"mig_exact": 0.5, "mig_exact_factor_0": 1.0, "mig_exact_factor_2": 0.0}
    expected["mig_exact_average_max_information"] = np.log(4) / 2
    assert scores == pytest.approx(expected, abs=1e-4)


def test_two_images_have_a_score():
    result = score([[0.0], [1.0]], NARROW, factors=np.array([[0], [1]]), sizes=(2,), num_samples=3)
    assert result["mig_exact"] == pytest.approx(1.0, abs=1e-4)


def test_point_codes_are_refused_with_a_reason():
    rep = Representation(GRID.astype(float), GRID, SIZES)
    with pytest.raises(ValueError, match="mig_exact needs the posterior's logvar, got point codes"):
        mig_exact(rep, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("mean", "settings", "message"),
    [
        pytest.param(GRID * np.nan, {}, "mig_exact needs finite codes, got 180 values", id="NaN"),
        pytest.param(GRID, {"factors": 0 * GRID}, r"mig_exact needs at least 1 factor\(s\) .* got 0 of 3", id="one"),
        pytest.param(GRID, {"sizes": (4, 3, 4)}, r"needs factor values below factor_sizes \(4, 3, 4\), got", id="size"),
        pytest.param(GRID, {"num_samples": 0}, "mig_exact needs num_samples >= 1, got 0", id="no samples"),
    ],
)
def test_errors_name_the_metric_and_the_reason(mean, settings, message):
    with pytest.raises(ValueError, match=message):
        score(mean, NARROW, **settings)


def test_equal_weights_leave_the_score_as_it_is():
    rng = np.random.default_rng(0)
    mean = GRID @ rng.standard_normal((3, 4))
    plain = [score(mean, -1.0, num_samples=1_200, seed=seed)["mutual_information"] for seed in range(6)]
    weighted = [
        score(mean, -1.0, num_samples=1_200, seed=seed, weights=np.full(60, 0.3))["mutual_information"]
        for seed in range(6, 12)
    ]
    error = np.hypot(np.std(plain, axis=0, ddof=1), np.std(weighted, axis=0, ddof=1)) / 6**0.5
    assert (np.abs(np.mean(plain, axis=0) - np.mean(weighted, axis=0)) < 5 * error + 1e-4).all()


def test_a_weight_is_a_number_of_copies():
    """Of separated codes, so that every sample of an image tells the same."""
    rng = np.random.default_rng(0)
    copies, values = rng.integers(0, 5, size=60), rng.integers(0, 7, size=60)
    mean = np.column_stack([values, GRID[:, 0] + 4 * (values > 3)])
    num_samples = 3 * int(copies.sum())
    factors = np.repeat(GRID, copies, axis=0)
    repeated = score(np.repeat(mean, copies, axis=0), NARROW, factors=factors, num_samples=num_samples)
    weighted = score(mean, NARROW, weights=copies / copies.sum(), num_samples=num_samples)
    np.testing.assert_allclose(weighted["mutual_information"], repeated["mutual_information"], atol=1e-4)
    np.testing.assert_allclose(weighted["gaps"], repeated["gaps"], atol=1e-4)
    expected = [mutual_info_score(np.repeat(values, copies), factor) for factor in factors.T]
    np.testing.assert_allclose(weighted["mutual_information"][0], expected, atol=1e-4)


def test_separated_codes_tell_the_entropy_of_the_weighted_marginal():
    factors, weights = np.array([[0], [1], [1]]), np.array([0.25, 0.3, 0.45])
    result = score([[0.0], [1.0], [1.0]], NARROW, factors=factors, sizes=(2,), num_samples=4_000, weights=weights)
    assert result["mutual_information"][0, 0] == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75), abs=1e-4)
    assert result["mig_exact"] == pytest.approx(1.0, abs=1e-4)


def test_perfect_codes_score_1_unless_factors_tell_of_each_other():
    sizes = (5, 4)
    factors = np.stack(np.unravel_index(np.arange(20), sizes), axis=1)
    settings = {"factors": factors, "sizes": sizes, "num_samples": 50_000}
    independent = score(factors, NARROW, **settings, weights=np.outer([5, 1, 2, 3, 4], [3, 1, 1, 2]).ravel() / 105)
    assert independent["mig_exact"] == pytest.approx(1.0, abs=1e-3)
    table = np.where(np.arange(5)[:, None] == np.arange(4), 4.0, 1.0)
    table /= table.sum()
    first, second = table.sum(axis=1), table.sum(axis=0)
    shared = (table * np.log(table / np.outer(first, second))).sum()
    entropies = np.array([-(p * np.log(p)).sum() for p in (first, second)])
    correlated = score(factors, NARROW, **settings, weights=table.ravel())
    np.testing.assert_allclose(correlated["gaps"], 1 - shared / entropies, atol=1e-3)


def test_images_without_weight_do_not_count():
    """Not their codes, their values or how often there is one; a factor that varies nowhere else is left out."""
    weights = (GRID[:, 0] == 2).astype(float)
    result = score(np.where(weights[:, None] > 0, GRID, 1e3 * GRID[:, ::-1]), NARROW, weights=weights)
    assert np.isnan(result["gaps"][0])
    np.testing.assert_allclose(result["gaps"][1:], 1.0, atol=1e-4)
    assert result["mig_exact"] == pytest.approx(1.0, abs=1e-4)


def test_the_joint_adds_a_number_and_changes_none():
    mean, logvar = GRID @ np.random.default_rng(0).standard_normal((3, 3)), np.full((60, 3), -2.0)
    rep = Representation(mean, GRID, SIZES, logvar=logvar)
    plain = mig_exact(rep, rng=np.random.default_rng(0), num_samples=600)
    weighted = replace(rep, weights=1.0 + (GRID[:, 0] == GRID[:, 2]))
    scores = mig_exact(weighted, rng=np.random.default_rng(0), num_samples=600)
    assert 0 < scores.pop("mig_exact_joint") < 1
    assert scores == plain
    single = replace(rep, weights=np.eye(60)[7])
    assert mig_exact(single, rng=np.random.default_rng(0), num_samples=600) == plain


def test_the_joint_is_of_the_images_with_all_labels():
    factors = np.column_stack([np.where(GRID[:, 1] == 0, -1, GRID[:, 0]), GRID[:, 2]])
    logvar = np.full((60, 2), NARROW)
    known = factors[:, 0] >= 0
    weights = np.where(known, 2.0 + GRID[:, 0], 1e6)
    rep = Representation(factors.astype(float), factors, (4, 5), logvar=logvar, weights=weights)
    assert mig_exact(rep, rng=np.random.default_rng(0))["mig_exact_joint"] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("weights", [np.zeros(60), np.full(60, -1.0)])
def test_weights_that_are_no_distribution_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be"):
        score(GRID, NARROW, weights=weights)
