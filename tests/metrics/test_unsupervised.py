import itertools
import json

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics import mutual_info_score

from disent_runner.metrics.unsupervised import gaussian_total_correlation, unsupervised, unsupervised_from_arrays
from disent_runner.representations.representation import Representation

GRID = np.array(list(itertools.product(range(4), range(3), range(5)))).astype(float)
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")
NAMES = (
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "gaussian_wasserstein_correlation_norm",
    "mutual_info_score",
)
TOTAL, WASSERSTEIN, NORMALIZED, INFORMATION = NAMES


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_numbers_are_the_reference_library_s(grid, name, train_arrays, oracle):
    numbers = unsupervised_from_arrays(train_arrays(grid, name)[0])
    assert numbers.keys() == set(NAMES)
    for key in (WASSERSTEIN, NORMALIZED, INFORMATION):
        assert numbers[key] == oracle(f"{grid}/{name}/{key}")
    if name == "duplicated":  # singular: the reference's number is rounding
        assert numbers[TOTAL] > 20
    else:  # a constant code, for which the reference has none, adds nothing
        assert numbers[TOTAL] == oracle(f"{grid}/{'aligned' if name == 'constant_code' else name}/{TOTAL}")


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(GRID, id="independent codes"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), id="beside constant codes"),
        pytest.param(np.full((60, 2), 0.1), id="constant codes"),
        pytest.param(GRID[:, :1], id="one latent"),
        pytest.param(np.array([[0.0], [1.0]]), id="two images"),
    ],
)
def test_independent_codes_have_none(codes):
    assert unsupervised_from_arrays(codes) == pytest.approx(dict.fromkeys(NAMES, 0.0), abs=1e-12)


def correlated(correlation: float, deviations: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """Two codes with exactly that correlation and these standard deviations."""
    noise = np.random.default_rng(0).standard_normal((1_000, 2))
    white, _ = np.linalg.qr(noise - noise.mean(axis=0))
    second = correlation * white[:, 0] + np.sqrt(1 - correlation**2) * white[:, 1]
    return np.sqrt(999) * np.column_stack([white[:, 0], second]) * deviations + 3.0


@pytest.mark.parametrize("correlation", [-0.99, 0.1, 0.6, 1 - 1e-10])
def test_two_codes_of_one_scale(correlation):
    numbers = unsupervised_from_arrays(correlated(correlation, (2.0, 2.0)))
    roots = np.sqrt(1 + correlation) + np.sqrt(1 - correlation)
    assert numbers[TOTAL] == pytest.approx(-np.log1p(-(correlation**2)) / 2, rel=1e-6)
    assert numbers[WASSERSTEIN] == pytest.approx(4 * (4 - 2 * roots))
    assert numbers[NORMALIZED] == pytest.approx(2 - roots)


def test_the_total_correlation_keeps_its_value_when_codes_are_rescaled():
    codes = correlated(0.6)
    scaled = codes * [1e-6, -1e6] + [0.0, 5.0]
    assert gaussian_total_correlation(scaled) == pytest.approx(gaussian_total_correlation(codes))
    first, second = unsupervised_from_arrays(codes), unsupervised_from_arrays(100 * codes)
    assert second == pytest.approx(first | {WASSERSTEIN: 1e4 * first[WASSERSTEIN]})


@pytest.mark.parametrize("seed", range(3))
def test_any_covariance(seed):
    rng = np.random.default_rng(seed)
    codes = rng.standard_normal((300, 6)) @ rng.standard_normal((6, 6))
    covariance = np.cov(codes, rowvar=False)
    root = np.diag(np.sqrt(np.diag(covariance)))
    numbers = unsupervised_from_arrays(codes, num_bins=7)
    _, log_determinant = np.linalg.slogdet(np.corrcoef(codes, rowvar=False))
    assert numbers[TOTAL] == pytest.approx(-log_determinant / 2)
    expected = 2 * np.trace(covariance) - 2 * np.trace(sqrtm(root @ covariance @ root)).real
    assert numbers[WASSERSTEIN] == pytest.approx(expected)
    assert numbers[NORMALIZED] == pytest.approx(expected / np.trace(covariance))
    bins = [np.digitize(code, np.histogram(code, 7)[1][:-1]) for code in codes.T]
    pairs = [mutual_info_score(first, second) for first, second in itertools.combinations(bins, 2)]
    assert numbers[INFORMATION] == pytest.approx(np.mean(pairs))


def test_every_code_twice():
    numbers = unsupervised_from_arrays(np.hstack([GRID, GRID]))
    variance = GRID.var(axis=0, ddof=1)
    assert numbers[TOTAL] == pytest.approx(3 * (12 * np.log(10) - np.log(2) / 2))  # for infinity: 10⁻¹² for 0
    assert numbers[WASSERSTEIN] == pytest.approx(variance.sum() * (4 - 2 * np.sqrt(2)))
    assert numbers[INFORMATION] == pytest.approx(2 * np.log([4, 3, 5]).sum() / 30)  # 6 of 30 ordered pairs
    json.dumps(numbers, allow_nan=False)


def test_rotations_of_independent_codes_of_one_scale_are_seen_by_the_mutual_information_only():
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=2)))
    numbers = unsupervised_from_arrays(signs @ [[1, 1], [1, -1]])
    assert (numbers[TOTAL], numbers[WASSERSTEIN]) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert numbers[INFORMATION] == pytest.approx(np.log(2))  # -2, 0, 2 with (1, 2, 1) / 4: 3 log 2 - log 4


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_zero(seed):
    codes = np.random.default_rng(seed).standard_normal((10_000, 8))
    numbers = unsupervised_from_arrays(codes)
    assert numbers[TOTAL] == pytest.approx(28 / 2 / 10_000, abs=1e-3)  # ρ²/2 per pair, ρ² of chance 1 / 10,000
    assert 0 <= numbers[INFORMATION] < 19 * 19 / 2 / 10_000  # χ² of all cells, over twice the images


def test_the_entry_needs_no_factors():
    codes = correlated(0.6).astype(np.float32)
    rep = Representation(codes, np.empty((1_000, 0), dtype=int), ())
    scores = unsupervised(rep, rng=np.random.default_rng(0))
    numbers = unsupervised_from_arrays(codes)
    assert scores == {
        "gaussian_total_correlation": numbers[TOTAL],
        "gaussian_wasserstein": numbers[WASSERSTEIN],
        "gaussian_wasserstein_normalized": numbers[NORMALIZED],
        "mutual_info_score": numbers[INFORMATION],
    }
    first, again, other = (unsupervised(rep, rng=np.random.default_rng(seed), num_samples=200) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], {}, "unsupervised needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0, 1.0], [1.0, 1.0]], {}, "needs more images than codes, got 2 of 2 codes", id="few images"),
        pytest.param([[0.0], [1.0]], {"num_bins": 0}, "unsupervised needs num_bins >= 1, got 0", id="no bins"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, settings, message):
    with pytest.raises(ValueError, match=message):
        unsupervised_from_arrays(np.array(codes), **settings)
