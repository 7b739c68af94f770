import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.losses.shared_latents import (
    arithmetic_mean,
    product_of_normals,
    shared_latents,
    symmetric_kl,
)

Posterior = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture
def posteriors() -> tuple[Posterior, Posterior]:
    generator = torch.Generator().manual_seed(0)
    mean_1, logvar_1, mean_2, logvar_2 = torch.randn(4, 6, 5, generator=generator, dtype=torch.float64)
    return (mean_1, logvar_1), (mean_2, logvar_2)


def normal(posterior: Posterior) -> Normal:
    return Normal(posterior[0], (posterior[1] / 2).exp())


def test_symmetric_kl(posteriors) -> None:
    first, second = map(normal, posteriors)
    expected = (kl_divergence(first, second) + kl_divergence(second, first)) / 2
    torch.testing.assert_close(symmetric_kl(*posteriors), expected)


def test_latents_below_the_middle_are_shared() -> None:
    divergence = torch.tensor([[0.0, 1.0, 4.9, 5.1, 10.0], [3.0, 3.0, 3.0, 3.0, 3.0]])
    assert shared_latents(divergence).tolist() == [[True, True, True, False, False], [False] * 5]


def test_means(posteriors) -> None:
    mean, logvar = arithmetic_mean(*posteriors)
    first, second = map(normal, posteriors)
    torch.testing.assert_close(mean, (first.mean + second.mean) / 2)
    torch.testing.assert_close(logvar.exp(), (first.variance + second.variance) / 2)


def test_the_product_is_the_normalised_geometric_mean_of_the_densities(posteriors) -> None:
    first, second = map(normal, posteriors)
    x = torch.linspace(-20, 20, 4001, dtype=torch.float64)[:, None, None]
    log_density = (first.log_prob(x) + second.log_prob(x)) / 2
    density = (log_density - torch.logsumexp(log_density, 0)).exp() / (40 / 4000)
    product = normal(product_of_normals(*posteriors))
    torch.testing.assert_close(density, product.log_prob(x).exp(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("average", [arithmetic_mean, product_of_normals])
def test_equal_posteriors_stay(average, posteriors) -> None:
    first, _ = posteriors
    for before, after in zip(first, average(first, first), strict=True):
        torch.testing.assert_close(after, before)
