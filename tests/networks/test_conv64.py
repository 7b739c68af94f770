"""Numbers by hand, layer by layer: weights + biases of the published network and its k4 variant."""

import itertools

import pytest
import torch

from disent_runner.datasets.images.transform import Transform
from disent_runner.networks.conv64 import Conv64Decoder, Conv64Encoder, conv64_channels


def test_the_encoder_is_that_of_the_table(geometry, activations, num_parameters):
    encoder = Conv64Encoder(image_shape=(1, 64, 64), num_outputs=20)
    convolutions = [(1, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 64, 4, 2, 1), (64, 64, 4, 2, 1)]
    assert geometry(encoder) == [*convolutions, (1024, 256), (256, 20)]
    assert activations(encoder) == ["ReLU"] * 4 + ["Flatten", "ReLU"]
    assert num_parameters(encoder) == 544 + 16_416 + 32_832 + 65_600 + 262_400 + 5_140


def test_the_decoder_is_that_of_the_table(geometry, activations, num_parameters):
    decoder = Conv64Decoder(latent_dim=10, image_shape=(1, 64, 64))
    deconvolutions = [(64, 64, 4, 2, 1), (64, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 1, 4, 2, 1)]
    assert geometry(decoder) == [(10, 256), (256, 1024), *deconvolutions]
    assert activations(decoder) == ["ReLU", "ReLU", "Unflatten", "ReLU", "ReLU", "ReLU"]
    assert num_parameters(decoder) == 2_816 + 263_168 + 65_600 + 32_800 + 16_416 + 513


def test_the_variant_of_disentanglement_lib_has_k2_in_its_64_channel_convolutions(geometry, num_parameters):
    encoder = Conv64Encoder(image_shape=(1, 64, 64), num_outputs=20, late_kernel_size=2)
    convolutions = [(1, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 64, 2, 2, 0), (64, 64, 2, 2, 0)]
    assert geometry(encoder) == [*convolutions, (1024, 256), (256, 20)]
    assert num_parameters(encoder) == 544 + 16_416 + 8_256 + 16_448 + 262_400 + 5_140


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (16, [3, 32, 64]),
        (32, [3, 32, 64, 64]),
        (64, [3, 32, 32, 64, 64]),
        (128, [3, 32, 32, 64, 64, 64]),
        (256, [3, 32, 32, 32, 64, 64, 64]),
    ],
)
def test_channels_follow_the_rule_and_the_decoder_mirrors_them(geometry, side, expected):
    encoder = Conv64Encoder(image_shape=(3, side, side), num_outputs=20)
    decoder = Conv64Decoder(latent_dim=10, image_shape=(3, side, side))
    pairs = list(itertools.pairwise(expected))
    assert [facts[:2] for facts in geometry(encoder)[:-2]] == pairs
    assert [facts[:2] for facts in geometry(decoder)[2:]] == [(after, before) for before, after in reversed(pairs)]


@pytest.mark.parametrize("late_kernel_size", [2, 4])
@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_goes_in_and_comes_out(channels, side, late_kernel_size):
    shape = (channels, side, side)
    encoder = Conv64Encoder(image_shape=shape, num_outputs=6, late_kernel_size=late_kernel_size)
    with torch.no_grad():
        assert encoder(torch.rand(2, *shape)).shape == (2, 6)
        assert Conv64Decoder(latent_dim=3, image_shape=shape)(torch.randn(2, 3)).shape == (2, *shape)


def test_only_the_two_published_late_kernels_are_taken():
    with pytest.raises(ValueError, match=r"must be 4 or, as in disentanglement_lib, 2, got 3"):
        Conv64Encoder(image_shape=(1, 64, 64), num_outputs=6, late_kernel_size=3)


@pytest.mark.parametrize("image_shape", [(1, 48, 48), (1, 64, 32), (4, 64, 64)])
def test_other_images_are_refused(image_shape):
    with pytest.raises(ValueError, match="square images"):
        Conv64Encoder(image_shape=image_shape, num_outputs=6)
    with pytest.raises(ValueError, match="square images"):
        Conv64Decoder(latent_dim=3, image_shape=image_shape)


def test_the_settings_that_are_advised_make_such_images_fit() -> None:
    with pytest.raises(ValueError, match=r"add dataset\.crop=48 dataset\.image_size=64, or use"):
        conv64_channels((1, 48, 64))
    with pytest.raises(ValueError, match=r"add dataset\.image_size=64, or use"):
        conv64_channels((1, 48, 48))
    assert Transform(crop=48, image_size=64).shape_after((1, 48, 64)) == (1, 64, 64)
