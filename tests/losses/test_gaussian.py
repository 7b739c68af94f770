import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.distributions import Normal, kl_divergence

from disent_runner.losses.gaussian import (
    kl_between_normals,
    kl_to_standard_normal,
    normal_log_density,
    sample_normal,
)


@pytest.fixture
def posterior() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mean = 3 * torch.randn(7, 4, generator=generator, dtype=torch.float64)
    logvar = 10 * (2 * torch.rand(7, 4, generator=generator, dtype=torch.float64) - 1)
    return mean, logvar


def test_kl_is_that_of_torch_distributions(posterior):
    mean, logvar = posterior
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mean, logvar), expected)


def test_kl_is_zero_at_the_prior_and_exact_beside_it():
    """(e^v - 1 - v) / 2 is v²/4 near zero; exp(v) - 1 would give 0 or 6e-8 in float32."""
    zero, small = torch.zeros(1, 1), torch.full((1, 1), 1e-3)
    assert kl_to_standard_normal(zero, zero).item() == 0
    assert kl_to_standard_normal(zero, small).item() == pytest.approx(1e-6 / 4, rel=1e-3)
    assert kl_to_standard_normal(small, zero).item() == pytest.approx(1e-6 / 2, rel=1e-5)


def test_kl_gradients(posterior):
    assert gradcheck(kl_to_standard_normal, [value.clone().requires_grad_() for value in posterior])


def test_log_density_is_that_of_torch_distributions_and_broadcasts(posterior):
    mean, logvar = posterior
    x = torch.linspace(-5, 5, 12, dtype=torch.float64).view(3, 1, 4)
    expected = Normal(mean, (logvar / 2).exp()).log_prob(x)
    assert expected.shape == (3, 7, 4)
    torch.testing.assert_close(normal_log_density(x, mean, logvar), expected)


def test_log_density_gradients(posterior):
    x = torch.ones(7, 4, dtype=torch.float64)
    assert gradcheck(normal_log_density, [value.clone().requires_grad_() for value in (x, *posterior)])


@pytest.mark.parametrize("seed", range(3))
def test_samples_have_the_mean_and_the_variance_asked_for(seed):
    """Margins are five standard errors of 40,000 samples."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.tensor([-2.0, 0.0, 5.0]).expand(40_000, 3)
    logvar = torch.tensor([-4.0, 0.0, 2.0]).expand(40_000, 3)
    samples = sample_normal(mean, logvar, generator=generator)
    deviation = (logvar[0] / 2).exp()
    assert ((samples.mean(dim=0) - mean[0]).abs() < 5 * deviation / math.sqrt(40_000)).all()
    assert (samples.var(dim=0) / deviation**2 - 1).abs().max() < 5 * math.sqrt(2 / 40_000)


def test_samples_follow_the_reparameterisation():
    """d sample / d mean = 1 and d sample / d logvar = (sample - mean) / 2: not noise that ignores its parameters."""
    mean = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    logvar = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    samples = sample_normal(mean, logvar)
    by_mean, by_logvar = torch.autograd.grad(samples.sum(), [mean, logvar])
    torch.testing.assert_close(by_mean, torch.ones_like(mean))
    torch.testing.assert_close(by_logvar, (samples - mean).detach() / 2)


def test_noise_comes_from_the_generator_given_or_from_torch():
    mean, logvar = torch.zeros(4, 3), torch.zeros(4, 3)
    first = sample_normal(mean, logvar, generator=torch.Generator().manual_seed(5))
    second = sample_normal(mean, logvar, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    torch.manual_seed(5)
    torch.testing.assert_close(sample_normal(mean, logvar), first, rtol=0, atol=0)
    assert not torch.equal(sample_normal(mean, logvar), first)


def test_kl_between_normals_is_that_of_torch_distributions(posterior):
    mean, logvar = posterior
    other_mean, other_logvar = mean.flip(0), logvar.flip(1) / 3
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(other_mean, (other_logvar / 2).exp()))
    torch.testing.assert_close(kl_between_normals((mean, logvar), (other_mean, other_logvar)), expected)


def test_kl_between_normals_is_zero_where_they_are_the_same_and_exact_beside_it(posterior):
    """(e^v - 1 - v) / 2 is v²/4 near zero, with any variance."""
    mean, logvar = (value.float() for value in posterior)
    assert (kl_between_normals((mean, logvar), (mean, logvar)) == 0).all()
    zero, near = torch.zeros(1, 1), torch.full((1, 1), 2.0**-10)
    assert kl_between_normals((zero, near), (zero, zero)).item() == pytest.approx(2.0**-22, rel=1e-3)


def test_kl_between_normals_gradients(posterior):
    values = [value.clone().requires_grad_() for value in (*posterior, posterior[0].flip(0), posterior[1] / 2)]
    assert gradcheck(lambda *v: kl_between_normals(v[:2], v[2:]), values)
