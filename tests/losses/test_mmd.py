import math

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel as sklearn_rbf

from disent_runner.losses.mmd import imq_kernel, mmd, rbf_kernel


@pytest.fixture
def points() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(7, 3, generator=generator), 1 + torch.randn(5, 3, generator=generator)


def test_the_estimate_is_that_of_all_pairs(points: tuple[torch.Tensor, torch.Tensor]) -> None:
    first, second = points
    gamma = 1 / (2 * 3)
    within = [sklearn_rbf(x, gamma=gamma)[~np.eye(len(x), dtype=bool)].mean() for x in (first, second)]
    expected = sum(within) - 2 * sklearn_rbf(first, second, gamma=gamma).mean()
    assert mmd(first, second, kernel=rbf_kernel).item() == pytest.approx(expected, abs=1e-6)


def test_rbf_between_normal_distributions_has_a_closed_form() -> None:
    """E k(x, y) = (1 + 2/D)^(-D/2) exp(-‖m‖² / (2D + 4)) for x ~ N(0, I), y ~ N(m, I)."""
    dim, shift = 4, 1.5
    generator = torch.Generator().manual_seed(1)
    first, second = torch.randn(2000, dim, generator=generator), torch.randn(2000, dim, generator=generator)
    second[:, 0] += shift
    same = (1 + 2 / dim) ** (-dim / 2)
    expected = 2 * same * (1 - math.exp(-(shift**2) / (2 * dim + 4)))
    assert mmd(first, second, kernel=rbf_kernel).item() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("kernel", [rbf_kernel, imq_kernel])
def test_samples_of_one_distribution_are_at_no_distance_on_average(kernel) -> None:
    generator = torch.Generator().manual_seed(2)
    values = torch.stack([mmd(*torch.randn(2, 32, 5, generator=generator), kernel=kernel) for _ in range(200)])
    assert abs(values.mean()) < 4 * values.std() / 200**0.5
    assert values.min() < 0  # unbiased


def test_imq_is_one_at_no_distance_and_falls() -> None:
    values = imq_kernel(torch.tensor([[0.0, 2.0, 8.0, 1e6]]), 1)
    scales = 2 * np.array([0.1, 0.2, 0.5, 1, 2, 5, 10])
    assert values[0, 0] == 1
    assert values[0, 2].item() == pytest.approx((scales / (scales + 8)).mean(), rel=1e-6)
    assert (values.diff() < 0).all()
