"""Scalar quantization against brute force, and where its gradients go."""

import torch

from disent_runner.losses.quantization import (
    commitment_loss,
    evenly_spaced,
    nearest_values,
    quantization_loss,
    straight_through,
)

CONTINUOUS = torch.tensor([[0.3, -2.0], [0.1, 0.9]])
VALUES = torch.tensor([[-0.5, 0.0, 0.5], [-1.0, 0.5, 1.0]])
QUANTIZED = torch.tensor([[0.5, -1.0], [0.0, 1.0]])
GAPS = torch.tensor([[-0.2, -1.0], [0.1, -0.1]])  # of the continuous less the quantized


def test_values_start_evenly_spaced() -> None:
    values = evenly_spaced(3, 5, limit=0.5)
    torch.testing.assert_close(values, torch.tensor([[-0.5, -0.25, 0.0, 0.25, 0.5]] * 3))
    values[0, 0] = 7.0
    assert values[1, 0] == -0.5  # each latent has its own


def test_latents_take_the_nearest_of_their_own_values() -> None:
    assert torch.equal(nearest_values(CONTINUOUS, VALUES), QUANTIZED)
    generator = torch.Generator().manual_seed(0)
    continuous, values = torch.randn(50, 4, generator=generator), torch.randn(4, 7, generator=generator)
    found = nearest_values(continuous, values)
    for row in range(50):
        for latent in range(4):
            expected = min(values[latent].tolist(), key=lambda value: abs(value - continuous[row, latent].item()))
            assert found[row, latent].item() == expected


def test_the_gradient_goes_straight_through() -> None:
    """d/dx of the sum of w·z² at the quantized z is 2 w z, for the continuous latents; values get none by this way."""
    continuous, values = CONTINUOUS.clone().requires_grad_(), VALUES.clone().requires_grad_()
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    codes = straight_through(continuous, nearest_values(continuous, values))
    torch.testing.assert_close(codes.detach(), QUANTIZED)
    (weights * codes.square()).sum().backward()
    torch.testing.assert_close(continuous.grad, 2 * weights * QUANTIZED)
    assert values.grad is None


def test_the_quantization_loss_moves_the_values_alone() -> None:
    continuous, values = CONTINUOUS.clone().requires_grad_(), VALUES.clone().requires_grad_()
    loss = quantization_loss(continuous, nearest_values(continuous, values))
    torch.testing.assert_close(loss.detach(), torch.tensor([(0.04 + 1.0) / 2, (0.01 + 0.01) / 2]))
    loss.sum().backward()
    assert continuous.grad is None
    chosen = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # d/dv (x - v)²/2 = v - x, of the values chosen
    chosen[0, 2], chosen[0, 1] = -GAPS[0, 0], -GAPS[1, 0]
    chosen[1, 0], chosen[1, 2] = -GAPS[0, 1], -GAPS[1, 1]
    torch.testing.assert_close(values.grad, chosen)


def test_the_commitment_loss_moves_the_latents_alone() -> None:
    continuous, values = CONTINUOUS.clone().requires_grad_(), VALUES.clone().requires_grad_()
    loss = commitment_loss(continuous, nearest_values(continuous, values))
    torch.testing.assert_close(loss.detach(), torch.tensor([(0.04 + 1.0) / 2, (0.01 + 0.01) / 2]))
    loss.sum().backward()
    torch.testing.assert_close(continuous.grad, GAPS)
    assert values.grad is None
