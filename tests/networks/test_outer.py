"""Layers on outer products."""

import torch
from torch import nn

from disent_runner.networks.outer import OuterLayers


def test_a_hidden_layer_on_an_outer_product_is_a_bilinear_one():
    layers = OuterLayers(sizes=(3, 4), num_hidden=5, num_outputs=2, batch_norm=False)
    bilinear = nn.Bilinear(3, 4, 5)
    weight, bias = layers.hidden[0].parameters()
    with torch.no_grad():
        bilinear.weight.copy_(weight.unflatten(1, (3, 4)))
        bilinear.bias.copy_(bias)
    one, other = torch.randn(6, 7, 3), torch.randn(6, 7, 4)
    expected = layers.output(nn.functional.leaky_relu(bilinear(one, other), 0.1).flatten(0, 1))
    torch.testing.assert_close(layers(one, other).flatten(0, 1), expected)


def test_batch_norm_is_over_all_that_is_given():
    layers = OuterLayers(sizes=(3, 4), num_hidden=5, num_outputs=2, batch_norm=True)
    found = layers.hidden[:2](torch.randn(40, 12) * 3 + 1)
    torch.testing.assert_close(found.mean(0), torch.zeros(5), atol=1e-5, rtol=0)
    assert layers(torch.randn(2, 8, 3), torch.randn(2, 8, 4)).shape == (2, 8, 2)
