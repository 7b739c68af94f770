"""Hidden layers of decoders, beside the pass written out."""

import pytest
import torch
from torch import nn

from disent_runner.networks.conv64 import Conv64Decoder
from disent_runner.networks.hidden_layers import activations_of, hidden_layers, smoothed
from disent_runner.networks.mlp_dsprites import MLPDspritesDecoder
from disent_runner.networks.tiny import TinyDecoder


def test_they_are_the_activations_in_order() -> None:
    network = TinyDecoder(latent_dim=3, image_shape=(1, 16, 16))
    codes = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    first = network.stem[:2](codes)
    second = network.stem[2:4](first)
    third = network.deconvolutions[:2](second.view(5, 32, 4, 4))
    found = hidden_layers(network, codes)
    assert len(found) == 3
    for layer, expected in zip(found, (first, second, third), strict=True):
        torch.testing.assert_close(layer, expected)


@pytest.mark.parametrize(("decoder", "count"), [(Conv64Decoder, 5), (MLPDspritesDecoder, 3)])
def test_every_hidden_layer_counts(decoder, count) -> None:
    assert len(activations_of(decoder(latent_dim=3, image_shape=(1, 64, 64)))) == count
    assert activations_of(nn.Linear(2, 2)) == []


def test_no_hook_stays_behind() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    hidden_layers(network, torch.zeros(1, 3))
    with pytest.raises(RuntimeError):
        hidden_layers(network, torch.zeros(1, 4))
    assert not any(layer._forward_hooks for layer in network.modules())


def test_a_compiled_network_has_them_too() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    network.compile(backend="eager")
    inputs = torch.ones(4, 3)
    network(inputs)
    (found,) = hidden_layers(network, inputs)
    torch.testing.assert_close(found, network[0](inputs).tanh())


def test_a_smooth_network_has_gelu_for_relu() -> None:
    network = TinyDecoder(latent_dim=3, image_shape=(1, 16, 16))
    assert smoothed(network) is network
    assert [type(layer) for layer in activations_of(network)] == [nn.GELU] * 3
    codes = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(hidden_layers(network, codes)[0], nn.functional.gelu(network.stem[0](codes)))
    tanh = MLPDspritesDecoder(latent_dim=3, image_shape=(1, 8, 8))
    assert [type(layer) for layer in activations_of(smoothed(tanh))] == [nn.Tanh] * 3
