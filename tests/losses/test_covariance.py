import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from disent_runner.losses.covariance import (
    covariance_of_codes,
    covariance_of_means,
    diagonal_penalty,
    off_diagonal_penalty,
)


@pytest.fixture
def posterior() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    mean = 2 + torch.randn(6, 4, generator=generator, dtype=torch.float64) @ mixing
    return mean, torch.randn(6, 4, generator=generator, dtype=torch.float64)


def test_covariance_of_means_divides_by_the_batch(posterior):
    mean, _ = posterior
    torch.testing.assert_close(covariance_of_means(mean).numpy(), np.cov(mean.numpy(), rowvar=False, ddof=0))


@pytest.mark.parametrize("seed", range(3))
def test_covariance_of_codes_is_that_of_samples(seed, posterior):
    """Half a million samples of the six-posterior mixture; five standard errors are about 2 % of the largest entry."""
    mean, logvar = posterior
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(80_000, 6, 4, generator=generator, dtype=torch.float64)
    samples = (mean + (logvar / 2).exp() * noise).reshape(-1, 4)
    expected = torch.cov(samples.T)
    difference = (covariance_of_codes(mean, logvar) - expected).abs().max()
    assert difference < 0.02 * expected.abs().max()


def test_posterior_variances_enter_the_diagonal_only(posterior):
    """The mistake of adding one number everywhere: the diagonal of a (batch, latent) matrix taken as its variances."""
    mean, logvar = posterior
    added = covariance_of_codes(mean, logvar) - covariance_of_means(mean)
    expected = torch.diag(torch.tensor([logvar[:, latent].exp().mean().item() for latent in range(4)]).double())
    torch.testing.assert_close(added, expected)


def test_penalties_of_a_matrix_by_hand():
    covariance = torch.tensor([[3.0, 0.5, -1.0], [0.5, 1.0, 2.0], [-1.0, 2.0, 0.0]])
    assert off_diagonal_penalty(covariance).item() == pytest.approx(2 * (0.25 + 1 + 4))
    assert diagonal_penalty(covariance).item() == pytest.approx(4 + 0 + 1)


def test_the_prior_pays_nothing():
    assert off_diagonal_penalty(torch.eye(5)).item() == 0
    assert diagonal_penalty(torch.eye(5)).item() == 0


@pytest.mark.parametrize("covariance", [covariance_of_means, lambda mean: covariance_of_codes(mean, mean)])
@pytest.mark.parametrize("penalty", [off_diagonal_penalty, diagonal_penalty])
def test_gradients(posterior, covariance, penalty):
    assert gradcheck(lambda mean: penalty(covariance(mean)), posterior[0].clone().requires_grad_())


def test_one_image_or_one_latent_is_no_error():
    assert covariance_of_means(torch.randn(1, 3)).abs().max() == 0
    covariance = covariance_of_codes(torch.tensor([[1.0], [3.0]]), torch.zeros(2, 1))
    assert covariance.tolist() == [[2.0]]
    assert off_diagonal_penalty(covariance).item() == 0
