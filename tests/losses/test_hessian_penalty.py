"""The normalised Hessian penalty of quadratic forms, whose Hessian is known, with all directions enumerated."""

import itertools
import math

import torch

from disent_runner.losses.hessian_penalty import normalized_hessian_penalty

CODES = torch.tensor([[0.3, -1.0, 0.8], [0.0, 0.5, -0.2]], dtype=torch.float64)
SCALE = torch.tensor([1.0, 0.5, 3.0], dtype=torch.float64)
MIXED = torch.tensor([[1.0, 2.0, -1.0], [2.0, -3.0, 0.5], [-1.0, 0.5, 0.7]], dtype=torch.float64)
OTHER = torch.tensor([[0.0, 0.0, 1.5], [0.0, 4.0, 0.0], [1.5, 0.0, -2.0]], dtype=torch.float64)


def every(values: list[float]) -> torch.Tensor:
    """All directions of these values, for each code."""
    return torch.tensor(list(itertools.product(values, repeat=3)), dtype=torch.float64)[:, None].expand(-1, 2, -1)


SIGNS = every([-1.0, 1.0])
NORMALS = every([-math.sqrt(3), 0.0, 0.0, 0.0, 0.0, math.sqrt(3)])
"""Moments up to the fourth are those of N(0, 1): the Gauss-Hermite rule of three points, whose weights are 1, 4, 1."""


def quadratic(*matrices: torch.Tensor, slope: float = 2.0):
    """A layer with a unit for each matrix: ½ zᵀAz + slope Σz + 1."""
    return lambda z: torch.stack([0.5 * ((z @ a) * z).sum(1) + slope * z.sum(1) + 1 for a in matrices], dim=1)


def penalty(layers, scale=SCALE, epsilon=0.1) -> torch.Tensor:
    return normalized_hessian_penalty(layers, CODES, signs=SIGNS, normals=NORMALS, scale=scale, epsilon=epsilon)


def share(*matrices: torch.Tensor) -> float:
    scaled = torch.stack([SCALE[:, None] * a * SCALE for a in matrices]).square()
    return ((scaled.sum() - scaled.diagonal(dim1=1, dim2=2).sum()) / scaled.sum()).item()


def test_it_is_the_share_of_the_off_diagonal() -> None:
    found = penalty(lambda z: [quadratic(MIXED)(z)])
    torch.testing.assert_close(found, torch.full((2,), share(MIXED), dtype=torch.float64))


def test_units_of_a_layer_are_taken_together_and_layers_are_summed() -> None:
    found = penalty(lambda z: [quadratic(MIXED, OTHER)(z), quadratic(OTHER)(z)])
    torch.testing.assert_close(found, torch.full((2,), share(MIXED, OTHER) + share(OTHER), dtype=torch.float64))
    maps = penalty(lambda z: [quadratic(MIXED, OTHER, OTHER, MIXED)(z).view(-1, 1, 2, 2)])
    torch.testing.assert_close(maps, torch.full((2,), share(MIXED, OTHER), dtype=torch.float64))


def test_latents_apart_cost_nothing_and_products_everything() -> None:
    apart = penalty(lambda z: [torch.stack([z[:, 0] ** 2, z[:, 1] ** 2 - z[:, 2] ** 2], dim=1)])
    torch.testing.assert_close(apart, torch.zeros(2, dtype=torch.float64), rtol=0.0, atol=1e-12)
    product = penalty(lambda z: [z[:, :1] * z[:, 1:2]])
    torch.testing.assert_close(product, torch.ones(2, dtype=torch.float64))
    linear = penalty(lambda z: [z.sum(1, keepdim=True)])
    torch.testing.assert_close(linear, torch.zeros(2, dtype=torch.float64), rtol=0.0, atol=1e-12)


def test_scales_of_units_do_not_count() -> None:
    torch.testing.assert_close(
        penalty(lambda z: [quadratic(MIXED)(z)]), penalty(lambda z: [1000 * quadratic(MIXED, slope=0.0)(z)])
    )


def test_it_is_of_each_code_alone() -> None:
    """exp(z₀) + z₀² z₁ has other second derivatives at another code; by small steps those of autograd."""

    def unit(z: torch.Tensor) -> torch.Tensor:
        return z[..., 0].exp() + z[..., 0] ** 2 * z[..., 1]

    found = penalty(lambda z: [unit(z)[:, None]], epsilon=1e-3)
    for code, value in zip(CODES, found, strict=True):
        hessian = torch.autograd.functional.hessian(unit, code)
        scaled = (SCALE[:, None] * hessian * SCALE).square()
        torch.testing.assert_close(value, 1 - scaled.diagonal().sum() / scaled.sum(), rtol=1e-4, atol=1e-6)
