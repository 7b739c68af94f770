"""Multi-information by kernels: beside scipy's densities, 0 for a product, the entropy for a copy."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import gaussian_kde, norm

from disent_runner.losses.kernel_multiinformation import kernel_multiinformation, silverman_factor


@pytest.mark.parametrize(("num_points", "num_latents"), [(64, 10), (50, 1), (7, 3)])
def test_the_factor_is_silvermans(num_points, num_latents, rng) -> None:
    expected = gaussian_kde(rng.normal(size=(num_latents, num_points))).silverman_factor()
    assert silverman_factor(num_points, num_latents) == pytest.approx(expected, rel=1e-12)


def test_it_is_a_difference_of_log_densities(rng) -> None:
    codes = rng.normal(size=(9, 3)) @ rng.normal(size=(3, 3))
    joint, marginal = np.array([0.5, 0.8, 1.1]), np.array([1.2, 0.4, 0.7])
    expected = []
    for code in codes:
        density = np.mean([norm.pdf(code, other, joint).prod() for other in codes])
        product = np.prod([norm.pdf(code[k], codes[:, k], marginal[k]).mean() for k in range(3)])
        expected.append(math.log(density) - math.log(product))
    joint, marginal = torch.from_numpy(joint), torch.from_numpy(marginal)
    found = kernel_multiinformation(torch.from_numpy(codes), joint_bandwidth=joint, marginal_bandwidth=marginal)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


def test_it_is_0_for_a_product_of_values() -> None:
    codes = torch.tensor(list(itertools.product([-1.0, 0.0, 0.7], [0.0, 0.3], [-2.0, 1.0, 5.0])), dtype=torch.float64)
    width = torch.tensor([0.4, 0.9, 2.0], dtype=torch.float64)
    found = kernel_multiinformation(codes, joint_bandwidth=width, marginal_bandwidth=width)
    torch.testing.assert_close(found, torch.zeros(18, dtype=torch.float64), rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("num_copies", [1, 2])
def test_it_is_the_entropy_of_a_latent_for_each_copy(num_copies) -> None:
    """Values far apart for the kernel: four of equal probability have log 4 nats."""
    codes = torch.arange(4.0).repeat(5)[:, None].expand(-1, 1 + num_copies)
    width = torch.full((1 + num_copies,), 0.05)
    found = kernel_multiinformation(codes, joint_bandwidth=width, marginal_bandwidth=width)
    torch.testing.assert_close(found, torch.full((20,), num_copies * math.log(4)), rtol=1e-5, atol=1e-5)


def test_scales_of_latents_do_not_count(rng) -> None:
    codes, scale = torch.from_numpy(rng.normal(size=(12, 2))), torch.tensor([0.01, 30.0], dtype=torch.float64)
    width = torch.tensor([0.5, 0.6], dtype=torch.float64)
    plain, scaled = (
        kernel_multiinformation(codes * s, joint_bandwidth=width * s, marginal_bandwidth=2 * width * s)
        for s in (torch.ones_like(scale), scale)
    )
    torch.testing.assert_close(plain, scaled)
