import math

import pytest
import torch

from disent_runner.losses.bounds import bounded


def gradient(values: torch.Tensor, slope: float, **bounds: float) -> torch.Tensor:
    (result,) = torch.autograd.grad((slope * bounded(values, **bounds)).sum(), values)
    return result


def test_between_the_bounds_it_is_a_clamp_bit_by_bit():
    values = torch.linspace(-3, 3, 101).requires_grad_()
    torch.testing.assert_close(bounded(values, -3, 3), values.clamp(-3, 3), rtol=0, atol=0)
    weights = torch.randn(101, generator=torch.Generator().manual_seed(0))
    ours, theirs = (
        torch.autograd.grad((weights * f(values, -3, 3).exp()).sum(), values)[0] for f in (bounded, torch.clamp)
    )
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("slope", [2.0, -2.0, 0.25, -0.25])
def test_beyond_a_bound_only_a_gradient_that_leads_back_passes(slope):
    """A step goes against the gradient, so that a positive one lowers the value."""
    values = torch.tensor([-5.0, 0.0, 5.0], requires_grad=True)
    torch.testing.assert_close(bounded(values, -1, 1), torch.tensor([-1.0, 0.0, 1.0]))
    expected = [0.0, slope, slope] if slope > 0 else [slope, slope, 0.0]
    assert gradient(values, slope, low=-1, high=1).tolist() == expected


def test_one_bound_alone():
    values = torch.tensor([-9.0, 1e9], requires_grad=True)
    assert bounded(values, -4, math.inf).tolist() == [-4.0, 1e9]
    assert gradient(values, -1.0, low=-4, high=math.inf).tolist() == [-1.0, -1.0]


def test_where_the_least_loss_is_within_the_bounds_it_is_found_from_beyond_them():
    values = torch.tensor([-30.0, 30.0], requires_grad=True)
    optimizer = torch.optim.SGD([values], lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        (bounded(values, -10, 10) - 1).square().sum().backward()
        optimizer.step()
    torch.testing.assert_close(values.detach(), torch.ones(2))
