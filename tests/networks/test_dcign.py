"""Sizes and counts by hand from the network file of the published code: 24 maps of 15×15 on either side."""

import pytest
import torch
from torch import nn

from disent_runner.networks.dcign import DCIGNDecoder, DCIGNEncoder, decoded_from

FACES = [96, 48, 24]
SMALL = [6, 4, 2]


def test_the_encoder_is_that_of_the_published_code(geometry, activations, num_parameters):
    encoder = DCIGNEncoder(image_shape=(1, 150, 150), num_outputs=400, channels=FACES)
    assert geometry(encoder) == [(1, 96, 5, 1, 0), (96, 48, 5, 1, 0), (48, 24, 5, 1, 0), (5400, 400)]
    assert activations(encoder) == ["MaxPool2d", "ReLU"] * 3 + ["Flatten"]
    assert num_parameters(encoder) == 2_496 + 115_248 + 28_824 + 5_401 * 400


def test_the_decoder_is_that_of_the_published_code_and_cuts_nothing_off(geometry, activations, num_parameters):
    decoder = DCIGNDecoder(latent_dim=200, image_shape=(1, 150, 150), channels=FACES)
    convolutions = [(24, 48, 7, 1, 0), (48, 96, 7, 1, 0), (96, 96, 7, 1, 0), (96, 1, 7, 1, 0)]
    assert geometry(decoder) == [(200, 5400), *convolutions]
    assert activations(decoder) == ["Unflatten"] + ["ReLU", "Upsample"] * 4
    assert num_parameters(decoder) == 201 * 5_400 + 56_496 + 225_888 + 451_680 + 4_705
    assert decoded_from(150, num_layers=4) == 15


def test_maps_grow_as_in_the_published_code():
    decoder = DCIGNDecoder(latent_dim=3, image_shape=(1, 150, 150), channels=SMALL)
    sides: list[int] = []
    for layer in decoder.convolutions:
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _layer, _maps, output: sides.append(output.shape[-1]))
    decoder(torch.zeros(1, 3))
    assert sides == [24, 42, 78, 150]


@pytest.mark.parametrize("side", [32, 33, 35, 36, 48, 64, 65, 96, 128, 149, 150, 151])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_from_32_pixels_on_goes_in_and_comes_out(channels, side):
    shape = (channels, side, side)
    encoder = DCIGNEncoder(image_shape=shape, num_outputs=6, channels=SMALL)
    with torch.no_grad():
        assert encoder(torch.rand(2, *shape)).shape == (2, 6)
        assert DCIGNDecoder(latent_dim=3, image_shape=shape, channels=SMALL)(torch.randn(2, 3)).shape == (2, *shape)


@pytest.mark.parametrize("side", [32, 64, 150])
def test_the_decoder_starts_from_the_smallest_map_that_is_large_enough(side):
    def grown(pixels: int) -> int:
        for _ in range(4):
            pixels = 2 * pixels - 6
        return pixels

    start = decoded_from(side, num_layers=4)
    assert grown(start - 1) < side <= grown(start)


def test_what_is_too_much_is_cut_off_all_around():
    torch.manual_seed(0)
    decoder = DCIGNDecoder(latent_dim=3, image_shape=(1, 64, 64), channels=SMALL)
    codes = torch.randn(2, 3)
    whole = decoder.convolutions(decoder.stem(codes))
    assert whole.shape[-1] == 70
    torch.testing.assert_close(decoder(codes), whole[..., 3:67, 3:67])


def test_only_the_outputs_have_a_start_of_their_own():
    torch.manual_seed(0)
    encoder = DCIGNEncoder(image_shape=(1, 64, 64), num_outputs=200, channels=FACES, init=_ones)
    outputs = encoder.head[1]
    assert isinstance(outputs, nn.Linear)
    for values in (outputs.weight, outputs.bias):
        torch.testing.assert_close(values.std().item(), 0.01, rtol=0.15, atol=0)
        assert values.mean().abs() < 3e-3
    decoder = DCIGNDecoder(latent_dim=3, image_shape=(1, 64, 64), channels=SMALL, init=_ones)
    others = [*encoder.convolutions.parameters(), *decoder.parameters()]
    assert all((values == 1).all() for values in others)


def _ones(module: nn.Module) -> None:
    for values in module.parameters(recurse=False):
        nn.init.ones_(values)


@pytest.mark.parametrize("image_shape", [(1, 31, 31), (3, 64, 48), (1, 16, 16)])
def test_other_images_are_refused(image_shape):
    message = r"takes square images of 32 pixels or more, got .*; add .*dataset\.image_size=64"
    with pytest.raises(ValueError, match=message):
        DCIGNEncoder(image_shape=image_shape, num_outputs=6, channels=FACES)
    with pytest.raises(ValueError, match=message):
        DCIGNDecoder(latent_dim=3, image_shape=image_shape, channels=FACES)
