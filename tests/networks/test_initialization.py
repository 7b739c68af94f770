import math

import pytest
import torch
from torch import nn

from disent_runner.networks.conv64 import Conv64Decoder, Conv64Encoder
from disent_runner.networks.initialization import fan_in, glorot_uniform, he_uniform, torch_default

LAYERS = [
    pytest.param(nn.Linear(500, 400), id="linear"),
    pytest.param(nn.Conv2d(128, 160, 4, stride=2, padding=1), id="convolution"),
    pytest.param(nn.Conv2d(128, 160, 4, stride=2, padding=1, groups=4), id="grouped convolution"),
    pytest.param(nn.ConvTranspose2d(128, 160, 4, stride=2, padding=1), id="deconvolution k4 s2"),
    pytest.param(nn.ConvTranspose2d(128, 160, 3, stride=1, padding=1), id="deconvolution k3 s1"),
    pytest.param(nn.ConvTranspose2d(128, 160, 2, stride=2), id="deconvolution k2 s2"),
    pytest.param(nn.ConvTranspose2d(128, 160, 4, stride=2, padding=1, groups=2), id="grouped deconvolution"),
]


def interior(maps: torch.Tensor) -> torch.Tensor:
    return maps[..., 2:-2, 2:-2] if maps.dim() == 4 else maps


@pytest.mark.parametrize("layer", LAYERS)
def test_he_doubles_the_mean_square_so_that_relu_halves_it_back(layer):
    """Var(out) = fan_in · E[x²] · b²/3 with b² = 6/fan_in: exactly twice the mean square of the input."""
    torch.manual_seed(0)
    layer.apply(he_uniform)
    shape = (64, 500) if isinstance(layer, nn.Linear) else (8, 128, 16, 16)
    x = torch.randn(shape)
    with torch.no_grad():
        out = interior(layer(x))
    assert out.square().mean() / x.square().mean() == pytest.approx(2, rel=0.06)
    assert torch.relu(out).square().mean() / x.square().mean() == pytest.approx(1, rel=0.06)


@pytest.mark.parametrize("layer", LAYERS)
def test_fan_in_counts_the_inputs_that_reach_an_output(layer):
    """Enumerated: with unit weights and unit inputs, an inner output is that number, on average over positions."""
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.zero_()
        shape = (1, 500) if isinstance(layer, nn.Linear) else (1, 128, 16, 16)
        assert fan_in(layer) == pytest.approx(interior(layer(torch.ones(shape))).mean().item())


@pytest.mark.parametrize("layer", LAYERS)
def test_he_draws_uniformly_within_its_bound_and_zeroes_the_bias(layer):
    layer.apply(he_uniform)
    bound = math.sqrt(6 / fan_in(layer))
    assert 0.999 * bound < layer.weight.abs().max() <= bound
    assert layer.weight.var().item() == pytest.approx(bound**2 / 3, rel=0.05)
    assert not layer.bias.any()


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        (nn.Linear(500, 400), 500 + 400),
        (nn.Conv2d(128, 160, 4, stride=2), (128 + 160) * 16),
        (nn.ConvTranspose2d(128, 160, 4, stride=2), (128 + 160) * 16),
    ],
    ids=["linear", "convolution", "deconvolution"],
)
def test_glorot_draws_uniformly_within_its_bound_and_zeroes_the_bias(layer, fans):
    layer.apply(glorot_uniform)
    bound = math.sqrt(6 / fans)
    assert 0.999 * bound < layer.weight.abs().max() <= bound
    assert layer.weight.var().item() == pytest.approx(bound**2 / 3, rel=0.05)
    assert not layer.bias.any()


@pytest.mark.parametrize("init", [he_uniform, glorot_uniform])
def test_layers_without_bias_are_drawn_too(init):
    layer = nn.Conv2d(8, 8, 4, bias=False)
    before = layer.weight.clone()
    layer.apply(init)
    assert not torch.equal(layer.weight, before)


@pytest.mark.parametrize("init", [he_uniform, glorot_uniform, torch_default])
def test_batch_normalisation_stays_as_it_is(init):
    layer = nn.BatchNorm2d(4)
    layer.apply(init)
    assert layer.weight.tolist() == [1] * 4
    assert layer.bias.tolist() == [0] * 4


def test_torch_default_is_what_the_constructor_drew():
    torch.manual_seed(3)
    expected = nn.Linear(7, 5)
    torch.manual_seed(3)
    layer = nn.Linear(7, 5)
    layer.apply(torch_default)
    torch.testing.assert_close(layer.state_dict(), expected.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("seed", range(3))
def test_the_signal_neither_dies_nor_grows_through_conv64(seed):
    """Mean square after every ReLU relative to the input; padding costs some at the border, chance the rest."""
    torch.manual_seed(seed)
    encoder = Conv64Encoder(image_shape=(3, 64, 64), num_outputs=20)
    decoder = Conv64Decoder(latent_dim=10, image_shape=(3, 64, 64))
    squares: list[float] = []
    for layer in [*encoder.modules(), *decoder.modules()]:
        if isinstance(layer, nn.ReLU):
            layer.register_forward_hook(lambda module, inputs, out: squares.append(out.square().mean().item()))
    with torch.no_grad():
        encoder(torch.randn(16, 3, 64, 64))
        logits = decoder(torch.randn(16, 10))
    assert len(squares) == 10
    assert min(squares) > 0.3
    assert max(squares) < 2.5
    assert 0.3 < logits.std() < 2.5
