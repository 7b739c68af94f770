import numpy as np
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.metrics.estimators.posterior_kl import mean_kl


def test_it_is_that_of_torch_distributions(rng):
    mean, logvar = rng.standard_normal((2, 50, 4)), rng.uniform(-8, 3, size=(2, 50, 4))
    posterior = Normal(torch.from_numpy(mean), torch.from_numpy(logvar / 2).exp())
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).mean(dim=1)
    np.testing.assert_allclose(mean_kl(mean, logvar), expected, rtol=1e-9)
    np.testing.assert_allclose(mean_kl(mean[1], logvar[1]), expected[1], rtol=1e-9)


def test_a_posterior_that_is_the_prior_has_none():
    assert mean_kl(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)).tolist() == [0, 0]


def test_a_small_one_is_no_difference_of_large_numbers():
    """KL of a variance of 1 + ε is ε²/4 to first order; in float32 1 + ε would be lost."""
    epsilon = 1e-5
    logvar = np.full((1, 1), np.log1p(epsilon))
    np.testing.assert_allclose(mean_kl(np.zeros((1, 1)), logvar), [epsilon**2 / 4], rtol=1e-4)
