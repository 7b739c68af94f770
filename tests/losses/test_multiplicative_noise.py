"""Closed forms beside integrals over the densities of scipy."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from disent_runner.losses.multiplicative_noise import kl_to_log_normal, kl_to_log_uniform, log_normal_variance

ALPHAS = (0.05, 0.3, 0.7)


def relative_information(value: float, alpha: float, prior) -> float:
    """∫ p(z) log(p(z) / prior(z)) dz of z = value · ε; over log z, where the density is smooth."""

    def integrand(log_z: float) -> float:
        z = math.exp(log_z)
        density = float(stats.lognorm.pdf(z, alpha, scale=value))
        return density * (float(stats.lognorm.logpdf(z, alpha, scale=value)) - math.log(prior(z))) * z

    middle = math.log(value)
    return integrate.quad(integrand, middle - 9 * alpha, middle + 9 * alpha, epsabs=1e-11, limit=200)[0]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("value", [0.01, 1.0, 20.0])
def test_kl_to_the_log_uniform_prior_is_its_integral(value, alpha):
    """1 / z as the prior; differences of the improper integral are those of the closed form, at any activation."""
    expected = relative_information(value, alpha, lambda z: 1 / z) - relative_information(5.0, 0.7, lambda z: 1 / z)
    found = kl_to_log_uniform(torch.tensor([alpha], dtype=torch.float64).log(), largest=0.7)
    assert found.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("value", "mean", "sigma"), [(0.01, 0.0, 1.0), (1.0, 0.3, 0.5), (20.0, -1.0, 2.0)])
def test_kl_to_the_log_normal_prior_is_its_integral(value, alpha, mean, sigma):
    expected = relative_information(value, alpha, lambda z: float(stats.lognorm.pdf(z, sigma, scale=math.exp(mean))))
    found = kl_to_log_normal(
        torch.tensor([[value]], dtype=torch.float64).log(),
        torch.tensor([[alpha]], dtype=torch.float64).log(),
        prior_mean=torch.tensor(mean, dtype=torch.float64),
        prior_log_sigma=torch.tensor(math.log(sigma), dtype=torch.float64),
    )
    assert found.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_noise_of_mean_one_has_the_variance_of_scipy(alpha):
    noise = stats.lognorm(s=alpha, scale=math.exp(-(alpha**2) / 2))
    assert noise.mean() == pytest.approx(1)
    found = log_normal_variance(torch.tensor([-3.0, 0.0, 2.0]), torch.full((3,), math.log(alpha)))
    np.testing.assert_allclose(found, noise.var() * np.array([9.0, 0.0, 4.0]), rtol=1e-5)
