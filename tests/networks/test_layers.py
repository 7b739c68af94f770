import pytest
import torch
from torch import nn

from disent_runner.networks.layers import (
    doubling_deconvolutions,
    halving_convolutions,
    halvings_to_4x4,
    linear_layers,
)
from disent_runner.networks.to_image import ToImage


@pytest.mark.parametrize(("side", "expected"), [(16, 2), (32, 3), (64, 4), (128, 5), (256, 6)])
@pytest.mark.parametrize("channels", [1, 3])
def test_halvings_lead_to_a_side_of_four(channels, side, expected):
    assert halvings_to_4x4((channels, side, side)) == expected
    assert side / 2**expected == 4


@pytest.mark.parametrize("image_shape", [(1, 8, 8), (1, 512, 512), (1, 60, 60), (1, 64, 32), (2, 64, 64), (64, 64, 1)])
def test_other_images_are_refused_with_what_was_seen_and_what_is_allowed(image_shape):
    with pytest.raises(ValueError, match=r"16, 32, 64, 128, 256.*1 or 3 channels") as error:
        halvings_to_4x4(image_shape)
    assert str(image_shape) in str(error.value)
    assert "network=mlp_dsprites" in str(error.value)


@pytest.mark.parametrize("kernel_size", [2, 4, 6])
def test_a_convolution_halves_the_map_whatever_its_even_kernel(kernel_size):
    stack = halving_convolutions([3, 5, 7], kernel_sizes=[kernel_size, kernel_size])
    assert stack(torch.zeros(1, 3, 16, 24)).shape == (1, 7, 4, 6)


def test_as_many_kernels_as_convolutions():
    with pytest.raises(ValueError, match="shorter"):
        halving_convolutions([1, 2, 3], kernel_sizes=[4])


def test_deconvolutions_double_the_map_and_end_without_an_activation():
    stack = doubling_deconvolutions([7, 5, 3])
    assert stack(torch.zeros(1, 7, 4, 6)).shape == (1, 3, 16, 24)
    assert [type(layer) for layer in stack] == [nn.ConvTranspose2d, nn.ReLU, ToImage]


def test_linear_layers_alternate_with_their_activation():
    first, activation, second, _ = linear_layers([3, 5, 2], activation=nn.Tanh)
    assert isinstance(activation, nn.Tanh)
    assert (first.in_features, first.out_features) == (3, 5)  # pyright: ignore
    assert (second.in_features, second.out_features) == (5, 2)  # pyright: ignore
