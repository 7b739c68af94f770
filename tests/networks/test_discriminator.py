import pytest
import torch
from torch import nn

from disent_runner.networks.discriminator import MLPDiscriminator
from disent_runner.networks.initialization import glorot_uniform


def test_it_has_six_hidden_layers_of_1000_and_two_logits(geometry, activations, num_parameters):
    discriminator = MLPDiscriminator(num_inputs=10)
    assert geometry(discriminator) == [(10, 1000)] + [(1000, 1000)] * 5 + [(1000, 2)]
    assert activations(discriminator) == ["LeakyReLU"] * 6
    assert num_parameters(discriminator) == 11_000 + 5 * 1_001_000 + 2_002


def test_the_slope_is_that_of_the_paper():
    slopes = [
        layer.negative_slope for layer in MLPDiscriminator(num_inputs=3).modules() if isinstance(layer, nn.LeakyReLU)
    ]
    assert slopes == [0.2] * 6


@pytest.mark.parametrize("depth", [1, 3])
def test_width_depth_and_outputs_are_settings(geometry, depth):
    discriminator = MLPDiscriminator(num_inputs=4, num_outputs=3, width=7, depth=depth)
    assert geometry(discriminator) == [(4, 7)] + [(7, 7)] * (depth - 1) + [(7, 3)]
    assert discriminator(torch.randn(5, 4)).shape == (5, 3)


def test_a_negative_slope_lets_gradients_through_everywhere():
    torch.manual_seed(0)
    discriminator = MLPDiscriminator(num_inputs=4, width=20)
    codes = torch.randn(64, 4, requires_grad=True)
    discriminator(codes).square().sum().backward()
    assert codes.grad is not None
    assert codes.grad.abs().sum(dim=1).min() > 0
    gradients = [value.grad for value in discriminator.parameters()]
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_the_init_is_a_setting():
    discriminator = MLPDiscriminator(num_inputs=30, width=50, depth=1, init=glorot_uniform)
    bound = (6 / (30 + 50)) ** 0.5
    assert 0.95 * bound < next(discriminator.parameters()).abs().max() <= bound


def test_no_hidden_layer_is_an_error():
    with pytest.raises(ValueError, match="must be 1 or more, got 0"):
        MLPDiscriminator(num_inputs=4, depth=0)
