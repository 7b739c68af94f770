import math
from dataclasses import FrozenInstanceError
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy import integrate
from torch.autograd import gradcheck
from torch.distributions import Bernoulli as TorchBernoulli
from torch.distributions import ContinuousBernoulli as TorchContinuousBernoulli
from torch.distributions import Laplace as TorchLaplace
from torch.distributions import Normal

from disent_runner.losses.likelihoods import (
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    LearnedGaussian,
    OptimalGaussian,
    langevin,
    log_sinh_ratio,
)

CONF = Path(__file__).parents[2] / "conf" / "likelihood"
LIKELIHOODS = [Bernoulli(), Gaussian(), Gaussian(sigma=0.1), ContinuousBernoulli(), Laplace(), Laplace(scale=0.1)]
each_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=str)


@pytest.fixture
def logits() -> torch.Tensor:
    return 4 * torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def one_pixel(value: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


def test_bernoulli_is_that_of_torch_distributions(logits, images):
    binary = images.round()
    expected = -TorchBernoulli(logits=logits).log_prob(binary).sum(dim=(1, 2, 3))
    torch.testing.assert_close(Bernoulli().nll(logits, binary), expected)
    torch.testing.assert_close(Bernoulli().mean(logits), TorchBernoulli(logits=logits).mean)


@pytest.mark.parametrize("sigma", [0.05, 1.0, 3.0])
def test_gaussian_is_that_of_torch_distributions_about_the_sigmoid(logits, images, sigma):
    expected = -Normal(torch.sigmoid(logits), sigma).log_prob(images).sum(dim=(1, 2, 3))
    torch.testing.assert_close(Gaussian(sigma).nll(logits, images), expected)
    torch.testing.assert_close(Gaussian(sigma).mean(logits), torch.sigmoid(logits))


@pytest.mark.parametrize("scale", [0.05, 1.0, 3.0])
def test_laplace_is_that_of_torch_distributions_about_the_sigmoid(logits, images, scale):
    expected = -TorchLaplace(torch.sigmoid(logits), scale).log_prob(images).sum(dim=(1, 2, 3))
    torch.testing.assert_close(Laplace(scale).nll(logits, images), expected)


@pytest.mark.parametrize("log_sigma", [-20.0, -3.0, 0.0, 1.0])
def test_a_learned_sigma_is_a_normal_s_and_stays_above_its_floor(logits, images, log_sigma):
    likelihood = LearnedGaussian()
    likelihood.log_sigma.data.fill_(log_sigma)
    sigma = math.exp(-6 + math.log1p(math.exp(log_sigma + 6)))
    expected = -Normal(torch.sigmoid(logits), sigma).log_prob(images).sum(dim=(1, 2, 3))
    torch.testing.assert_close(likelihood.nll(logits, images), expected, rtol=1e-5, atol=1e-5)
    likelihood.nll(logits, images).mean().backward()
    assert likelihood.log_sigma.grad is not None
    assert likelihood.log_sigma.grad != 0  # from below its floor too


def test_a_sigma_learns_to_be_the_root_of_the_mean_squared_error(logits, images):
    likelihood = LearnedGaussian()
    optimizer = torch.optim.LBFGS(likelihood.parameters(), line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = likelihood.nll(logits, images).mean() / 48
        value.backward()
        return value

    for _ in range(5):
        optimizer.step(loss)
    expected = (torch.sigmoid(logits) - images).square().mean().sqrt().item()
    assert math.exp(likelihood.log_sigma.item()) == pytest.approx(expected, rel=0.01)  # the floor is 0.0025


def test_an_optimal_sigma_has_the_closed_form_and_its_gradient(logits, images):
    """The least -log p over σ is N/2 (log(2π MSE) + 1), N all pixels of the batch."""
    logits.requires_grad_()
    loss = OptimalGaussian().nll(logits, images).sum()
    mean_squared_error = (torch.sigmoid(logits) - images).square().mean()
    expected = images.numel() / 2 * ((2 * math.pi * mean_squared_error).log() + 1)
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=0)
    gradients = [torch.autograd.grad(value, logits)[0] for value in (loss, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=0)


def test_an_optimal_sigma_is_evaluated_by_its_running_mean(logits, images):
    likelihood = OptimalGaussian()
    for _ in range(200):
        likelihood.nll(logits, images)
    whole = likelihood.eval().nll(logits, images)
    sigma = (torch.sigmoid(logits) - images).square().mean().sqrt()
    torch.testing.assert_close(whole, Gaussian(sigma.item()).nll(logits, images), rtol=1e-4, atol=0)
    torch.testing.assert_close(likelihood.nll(logits[:2], images[:2]), whole[:2])  # of any batch alike
    assert "variance" in likelihood.state_dict()


def test_a_perfect_decoder_keeps_a_finite_density(logits):
    for likelihood in (LearnedGaussian(), OptimalGaussian()):
        assert likelihood.nll(logits, torch.sigmoid(logits)).isfinite().all()


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_the_scale_must_be_positive(scale):
    with pytest.raises(ValueError, match=rf"likelihood.scale .* must be positive, got {scale}"):
        Laplace(scale)


def test_continuous_bernoulli_is_that_of_torch_distributions(logits, images):
    """Away from λ = 1/2, where torch approximates, and from saturation, where it clamps λ."""
    logits = torch.where(logits.abs() < 0.5, logits.sign() * 0.5, logits).clamp(-8, 8)
    torch_distribution = TorchContinuousBernoulli(logits=logits)
    expected = -torch_distribution.log_prob(images).sum(dim=(1, 2, 3))
    torch.testing.assert_close(ContinuousBernoulli().nll(logits, images), expected)
    torch.testing.assert_close(ContinuousBernoulli().mean(logits), torch_distribution.mean)


@pytest.mark.parametrize("logit", [-50.0, -6.0, -0.21, -0.19, -1e-3, 0.0, 1e-6, 0.1, 0.199, 0.201, 1.0, 10.0, 50.0])
def test_continuous_bernoulli_density_integrates_to_one_and_has_its_mean(logit):
    """The check that a Bernoulli on grey images fails: its "density" does not integrate to one."""

    def density(x: float) -> float:
        return math.exp(-ContinuousBernoulli().nll(one_pixel(logit), one_pixel(x)).item())

    total, _ = integrate.quad(density, 0, 1, epsabs=1e-10)
    mean, _ = integrate.quad(lambda x: x * density(x), 0, 1, epsabs=1e-10)
    assert total == pytest.approx(1, abs=1e-9)
    assert ContinuousBernoulli().mean(one_pixel(logit)).item() == pytest.approx(mean, abs=1e-9)


def test_gaussian_density_integrates_to_one():
    likelihood = Gaussian(sigma=0.3)

    def density(x: float) -> float:
        return math.exp(-likelihood.nll(one_pixel(0.7), one_pixel(x)).item())

    assert integrate.quad(density, -5, 6, epsabs=1e-10, points=[0.5, 0.9])[0] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("x", [0.0, 1e-8, -1e-4, 0.05, 0.0999, 0.1001, -0.1001, 0.3, -2.0, 25.0])
def test_log_sinh_ratio_and_its_derivative_agree_with_sixty_digits(x):
    with localcontext(prec=60):
        exact = Decimal(x)
        up, down = exact.exp(), (-exact).exp()
        value = float(((up - down) / (2 * exact)).ln()) if x else 0.0
        slope = float((up + down) / (up - down) - 1 / exact) if x else 0.0
    argument = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    ours = log_sinh_ratio(argument)
    (gradient,) = torch.autograd.grad(ours, argument)
    assert ours.item() == pytest.approx(value, abs=1e-10)
    assert gradient.item() == pytest.approx(slope, abs=1e-10)
    assert langevin(argument).item() == pytest.approx(slope, abs=1e-10)


@each_likelihood
def test_float32_stays_finite_and_close_to_float64_up_to_large_logits(likelihood):
    logits = torch.cat([torch.linspace(-50, 50, 4001), torch.tensor([-0.2, -1e-30, 0.0, 1e-30, 0.2, 1e4, -1e4])])
    single = logits.view(-1, 1, 1, 1).requires_grad_()
    images = torch.tensor(0.25).expand(single.shape)
    nll = likelihood.nll(single, images)
    (gradient,) = torch.autograd.grad(nll.sum(), single)
    assert torch.isfinite(nll).all()
    assert torch.isfinite(gradient).all()
    double = single.detach().double().requires_grad_()
    expected = likelihood.nll(double, images.double())
    (expected_gradient,) = torch.autograd.grad(expected.sum(), double)
    torch.testing.assert_close(nll.double(), expected, rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=2e-5, atol=1e-5)


@each_likelihood
def test_means_are_images(likelihood):
    logits = torch.linspace(-100, 100, 2001).view(-1, 1, 1, 1)
    means = likelihood.mean(logits).flatten()
    assert means.min() >= 0
    assert means.max() <= 1
    assert (means.diff() >= -1e-6).all()
    assert means[1000] == pytest.approx(0.5)


@each_likelihood
def test_gradients(likelihood, logits, images):
    assert gradcheck(likelihood.nll, [logits.requires_grad_(), images])
    assert gradcheck(likelihood.mean, [logits])


@each_likelihood
def test_pixels_are_summed_and_images_are_not(likelihood, logits, images):
    """A mean over pixels would multiply every β by their number."""
    nll = likelihood.nll(logits, images)
    assert nll.shape == (5,)
    torch.testing.assert_close(likelihood.nll(logits.repeat(1, 1, 2, 3), images.repeat(1, 1, 2, 3)), 6 * nll)
    torch.testing.assert_close(likelihood.nll(logits[2:3], images[2:3]), nll[2:3])


@each_likelihood
def test_images_in_another_memory_layout_score_the_same(likelihood, logits, images):
    channels_last = logits.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(likelihood.nll(channels_last, images), likelihood.nll(logits, images))


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_sigma_must_be_positive(sigma):
    with pytest.raises(ValueError, match=rf"likelihood.sigma .* must be positive, got {sigma}"):
        Gaussian(sigma)


def test_likelihoods_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Gaussian().sigma = 2.0  # pyright: ignore


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_makes_a_likelihood(path, logits, images):
    likelihood = instantiate(OmegaConf.load(path))
    assert torch.isfinite(likelihood.nll(logits, images)).all()
    assert path.read_text().startswith("# ")
