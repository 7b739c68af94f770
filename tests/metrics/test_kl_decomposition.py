import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.metrics.kl_decomposition import kl_decomposition, kl_decomposition_from_posteriors
from disent_runner.representations.representation import Representation

PARTS = ("index_code_mi", "total_correlation", "dimensionwise_kl")


def decompose(mean, logvar, *, seed=0, num_samples=4_000):
    return kl_decomposition_from_posteriors(mean, logvar, num_samples=num_samples, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("name", ["correlated", "independent", "collapsed", "curved"])
def test_parts_agree_with_quadrature(name, load, oracle):
    arrays = load("posteriors")
    mean, logvar = (arrays[f"mixture_{name}_{part}"] for part in ("mean", "logvar"))
    runs = [decompose(mean, logvar, seed=seed, num_samples=10_000) for seed in range(12)]
    truth = oracle(f"mixture/{name}").expected
    for part in PARTS:
        values = np.array([run[part] for run in runs])
        standard_error = values.std(ddof=1) / len(runs) ** 0.5
        assert abs(values.mean() - truth[part]) < 4 * standard_error + 1e-6, part
        assert standard_error < 0.01
    assert runs[0]["kl"] == pytest.approx(truth["kl"], abs=1e-6)


def test_kl_is_the_closed_form_of_torch_distributions():
    rng = np.random.default_rng(0)
    mean, logvar = rng.standard_normal((50, 4)), rng.uniform(-8, 3, size=(50, 4))
    posterior = Normal(torch.from_numpy(mean), torch.from_numpy(logvar / 2).exp())
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1).mean().item()
    assert decompose(mean, logvar)["kl"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_total_correlation_of_a_gaussian_aggregate_is_known(correlation):
    """Means N(0, C - v) and posterior variance v make q(z) = N(0, C): TC = -log(1 - correlation^2) / 2."""
    variance = 0.05
    covariance = np.array([[1.0, correlation], [correlation, 1.0]]) - variance * np.eye(2)
    mean = np.random.default_rng(0).multivariate_normal(np.zeros(2), covariance, size=5_000)
    parts = decompose(mean, np.full(mean.shape, np.log(variance)))
    assert parts["total_correlation"] == pytest.approx(-np.log(1 - correlation**2) / 2, abs=0.03)
    information = np.log(np.linalg.det(covariance + variance * np.eye(2)) / variance**2) / 2
    assert parts["index_code_mi"] == pytest.approx(information, abs=0.05)
    assert parts["dimensionwise_kl"] == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_parts_add_up_to_the_kl_in_whatever_unit_the_codes_are(scale):
    rng = np.random.default_rng(1)
    mean, logvar = scale * (rng.standard_normal((200, 3)) + 2), rng.uniform(-4, -2, size=(200, 3)) + 2 * np.log(scale)
    parts = decompose(mean, logvar)
    assert sum(parts[part] for part in PARTS) == pytest.approx(parts["kl"], rel=0.02)


@pytest.mark.parametrize("logvar", [-30.0, -60.0, -180.0, -2_000.0, 180.0])
def test_parts_add_up_to_the_kl_of_points_and_of_the_widest_posteriors(logvar):
    mean = np.column_stack([np.random.default_rng(1).standard_normal((200, 2)), np.full(200, 0.3)])
    parts = decompose(mean, np.full((200, 3), logvar))
    assert sum(parts[part] for part in PARTS) == pytest.approx(parts["kl"], rel=0.03, abs=0.05)
    if logvar < 0:  # every image is told by either code
        assert parts["index_code_mi"] == pytest.approx(np.log(200), abs=0.01)
        assert parts["total_correlation"] == pytest.approx(np.log(200), abs=0.01)


def test_codes_of_independent_factors_have_no_total_correlation():
    grid = np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), axis=1).astype(float)
    parts = decompose(grid, np.full(grid.shape, -2.0))
    assert parts["total_correlation"] == pytest.approx(0.0, abs=1e-5)


def test_separated_posteriors_tell_the_image():
    mean = 100.0 * np.arange(50)[:, None] * np.ones((50, 2))
    assert decompose(mean, np.zeros(mean.shape))["index_code_mi"] == pytest.approx(np.log(50), abs=1e-5)


@pytest.mark.parametrize("num_images", [1, 2, 30])
def test_equal_posteriors_tell_nothing_and_all_divergence_is_by_dimension(num_images):
    mean, logvar = np.full((num_images, 3), 0.7), np.full((num_images, 3), -1.0)
    parts = decompose(mean, logvar, num_samples=50_000)
    assert parts["index_code_mi"] == pytest.approx(0.0, abs=1e-5)
    assert parts["total_correlation"] == pytest.approx(0.0, abs=1e-5)
    assert parts["dimensionwise_kl"] == pytest.approx(parts["kl"], rel=0.02)


def test_one_latent_has_no_total_correlation():
    mean = np.random.default_rng(0).standard_normal((100, 1))
    assert decompose(mean, np.full(mean.shape, -2.0))["total_correlation"] == pytest.approx(0.0, abs=1e-5)


def test_entry_scores_the_posteriors_of_a_representation():
    rng = np.random.default_rng(0)
    codes, logvar = rng.standard_normal((40, 2)), rng.uniform(-3, 0, size=(40, 2))
    rep = Representation(codes, np.arange(40)[:, None], (40,), logvar=logvar)
    scores = kl_decomposition(rep, rng=np.random.default_rng(5), num_samples=300)
    assert scores == decompose(codes, logvar, seed=5, num_samples=300)
    assert set(scores) == {*PARTS, "kl"}


def test_errors_name_the_metric_and_the_reason():
    rep = Representation(np.zeros((3, 1)), np.arange(3)[:, None], (3,))
    with pytest.raises(ValueError, match="kl_decomposition needs the posterior's logvar, got point codes"):
        kl_decomposition(rep, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="kl_decomposition needs finite codes, got 3 values"):
        decompose(np.zeros((3, 1)), np.full((3, 1), np.inf))
    with pytest.raises(ValueError, match="kl_decomposition needs num_samples >= 1, got 0"):
        decompose(np.zeros((3, 1)), np.zeros((3, 1)), num_samples=0)
