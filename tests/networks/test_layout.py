import pytest
import torch
from torch.nn import functional

from disent_runner.networks.conv64 import Conv64Decoder, Conv64Encoder
from disent_runner.networks.layout import channels_last_on_cpu


@pytest.mark.parametrize("shape", [(2, 1, 6, 5), (2, 3, 6, 5), (4, 8, 1, 1), (1, 1, 4, 4)], ids=str)
def test_values_stay_and_channels_come_last(shape):
    images = torch.rand(shape)
    _, channel, height, width = shape
    moved = channels_last_on_cpu(images)
    torch.testing.assert_close(moved, images, rtol=0, atol=0)
    assert moved.stride() == (height * width * channel, 1, width * channel, channel)


def test_a_convolution_keeps_the_layout_even_of_one_channel():
    """The reason for the detour: PyTorch's own conversion leaves one-channel images in the slow layout."""
    images, weight = torch.rand(2, 1, 8, 8), torch.rand(4, 1, 4, 4)
    out = functional.conv2d(channels_last_on_cpu(images), weight, stride=2, padding=1)
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_elsewhere_than_on_the_cpu_the_images_pass_as_they_are():
    images = torch.zeros(2, 3, 8, 8, device="meta")
    assert channels_last_on_cpu(images) is images


def gradients(network: torch.nn.Module) -> dict[str, torch.Tensor | None]:
    return {key: value.grad for key, value in network.named_parameters()}


@pytest.mark.parametrize("channels", [1, 3])
def test_outputs_and_gradients_are_those_of_the_plain_layout(channels):
    torch.manual_seed(0)
    shape = (channels, 64, 64)
    ours, plain = (Conv64Encoder(image_shape=shape, num_outputs=4) for _ in range(2))
    plain.load_state_dict(ours.state_dict())
    images = torch.rand(8, *shape)
    ours(images).square().mean().backward()
    expected = plain.head(plain.convolutions(images))
    expected.square().mean().backward()
    torch.testing.assert_close(ours(images), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(ours), gradients(plain), rtol=1e-4, atol=1e-5)

    ours, plain = (Conv64Decoder(latent_dim=4, image_shape=shape) for _ in range(2))
    plain.load_state_dict(ours.state_dict())
    codes = torch.randn(8, 4)
    ours(codes).square().mean().backward()
    expected = plain.deconvolutions(plain.stem(codes))
    expected.square().mean().backward()
    torch.testing.assert_close(ours(codes), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(ours), gradients(plain), rtol=1e-4, atol=1e-5)
