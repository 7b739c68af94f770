"""The outputs' noise beside that of the weights."""

import pytest
import torch

from disent_runner.networks.noisy_linear import NoisyLinear


@pytest.fixture
def layer() -> NoisyLinear:
    torch.manual_seed(0)
    return NoisyLinear(4, 3, variance=lambda mean, noise: (2 * noise).exp(), first_noise=-0.5)


def test_without_noise_it_is_a_linear_layer(layer):
    inputs = torch.randn(6, 4)
    expected = torch.nn.functional.linear(inputs, layer.mean[:4].T, layer.mean[4])
    torch.testing.assert_close(layer(inputs, is_noisy=False), expected)


def test_outputs_have_the_variance_of_drawn_weights(layer):
    inputs = torch.tensor([[1.0, -2.0, 0.5, 0.0]])
    torch.manual_seed(1)
    outputs = layer(inputs.expand(20_000, -1), is_noisy=True)
    drawn = layer.mean + torch.randn(20_000, 5, 3) * torch.tensor(-0.5).exp()
    features = torch.cat([inputs, torch.ones(1, 1)], dim=1)
    by_weights = torch.einsum("nf,wfo->wo", features, drawn)
    torch.testing.assert_close(outputs.var(0), by_weights.var(0), rtol=0.06, atol=0)
    torch.testing.assert_close(outputs.mean(0), by_weights.mean(0), rtol=0, atol=0.06)
    assert outputs.var(0).mean().item() == pytest.approx(6.25 * torch.tensor(-1.0).exp().item(), rel=0.05)
