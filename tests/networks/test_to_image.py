"""The layer against torch's own transposed convolution, whose parameters it has."""

import pytest
import torch
from torch import nn
from torch.func import jvp

from disent_runner.networks.layout import channels_last_on_cpu
from disent_runner.networks.to_image import ToImage, transposed_by_convolution

SHAPES = [((2, 32, 8, 8), 1), ((3, 5, 4, 7), 3), ((1, 1, 1, 1), 1)]


def pair(in_channels: int, out_channels: int, dtype: torch.dtype) -> tuple[ToImage, nn.ConvTranspose2d]:
    torch.manual_seed(0)
    ours = ToImage(in_channels, out_channels).to(dtype)
    plain = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=4, stride=2, padding=1).to(dtype)
    plain.load_state_dict(ours.state_dict())
    return ours, plain


@pytest.mark.parametrize("layout", [torch.clone, channels_last_on_cpu])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("shape", "channels"), SHAPES, ids=str)
def test_images_and_gradients_are_those_of_the_plain_layer(shape, channels, dtype, layout):
    ours, plain = pair(shape[1], channels, dtype)
    results = []
    for layer in (ours, plain):
        maps = torch.linspace(-1, 1, torch.Size(shape).numel(), dtype=dtype).sin().view(shape).requires_grad_()
        images = layer(layout(maps))
        (images * torch.arange(images.numel(), dtype=dtype).cos().view_as(images)).sum().backward()
        results.append((images, maps.grad, *(parameter.grad for parameter in layer.parameters())))
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-5)


def test_its_gradients_are_those_of_finite_differences():
    ours, _ = pair(3, 2, torch.float64)
    maps = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ours, maps)


def test_the_numbers_do_not_depend_on_the_mode():
    ours, _ = pair(6, 1, torch.float64)
    maps = torch.randn(2, 6, 4, 4, dtype=torch.float64)
    trained = ours(maps)
    torch.testing.assert_close(ours.eval()(maps), trained)
    torch.testing.assert_close(transposed_by_convolution(maps, *ours.parameters()), trained)


def test_a_trained_layer_can_be_differentiated_forwards():
    ours, _ = pair(6, 1, torch.float64)
    maps, direction = torch.randn(2, 2, 6, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(jvp(ours.eval(), (maps,), (direction,))[1], ours(maps + direction) - ours(maps))


def test_autocast_has_its_way():
    ours, plain = pair(8, 1, torch.float32)
    maps = torch.randn(2, 8, 4, 4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        images, expected = ours(maps), plain(maps)
    assert images.dtype == torch.bfloat16
    torch.testing.assert_close(images, expected)
    images.float().sum().backward()
    assert maps.grad is not None


def test_a_frozen_layer_passes_the_gradient_on():
    ours, plain = pair(8, 1, torch.float32)
    maps = torch.randn(2, 8, 4, 4, requires_grad=True)
    expected = torch.autograd.grad(plain(maps).square().sum(), maps)
    torch.testing.assert_close(torch.autograd.grad(ours.requires_grad_(False)(maps).square().sum(), maps), expected)
