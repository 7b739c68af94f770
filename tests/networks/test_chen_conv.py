"""Batch normalisation replaces the biases; counts are weights + two numbers per normalised channel."""

import pytest
import torch

from disent_runner.networks.chen_conv import ChenConvDecoder, ChenConvEncoder


def test_the_encoder_ends_in_512_channels_at_one_pixel(geometry, activations, num_parameters):
    encoder = ChenConvEncoder(image_shape=(1, 64, 64), num_outputs=20)
    halving = [(1, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 64, 4, 2, 1), (64, 64, 4, 2, 1)]
    assert geometry(encoder) == [*halving, (64, 512, 4, 1, 0), (512, 20)]
    assert activations(encoder) == ["BatchNorm2d", "ReLU"] * 5 + ["Flatten"]
    normalisation = 2 * (32 + 32 + 64 + 64 + 512)
    assert num_parameters(encoder) == 512 + 16_384 + 32_768 + 65_536 + 524_288 + normalisation + 10_260


def test_the_decoder_mirrors_it(geometry, activations, num_parameters):
    decoder = ChenConvDecoder(latent_dim=10, image_shape=(1, 64, 64))
    doubling = [(64, 64, 4, 2, 1), (64, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 1, 4, 2, 1)]
    assert geometry(decoder) == [(10, 512, 1, 1, 0), (512, 64, 4, 1, 0), *doubling]
    assert activations(decoder) == ["BatchNorm2d", "ReLU"] * 5
    normalisation = 2 * (512 + 64 + 64 + 32 + 32)
    assert num_parameters(decoder) == 5_120 + 524_288 + 65_536 + 32_768 + 16_384 + 513 + normalisation


@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_goes_in_and_comes_out(channels, side):
    shape = (channels, side, side)
    with torch.no_grad():
        assert ChenConvEncoder(image_shape=shape, num_outputs=6)(torch.rand(2, *shape)).shape == (2, 6)
        assert ChenConvDecoder(latent_dim=3, image_shape=shape)(torch.randn(2, 3)).shape == (2, *shape)


def test_maps_are_normalised_over_the_batch_in_training_only():
    torch.manual_seed(0)
    encoder = ChenConvEncoder(image_shape=(1, 16, 16), num_outputs=6)
    images = 5 + 3 * torch.rand(16, 1, 16, 16)
    normalised = encoder.convolutions[:2]
    maps = normalised(images)
    torch.testing.assert_close(maps.mean(dim=(0, 2, 3)), torch.zeros(32), rtol=0, atol=1e-5)
    torch.testing.assert_close(maps.var(dim=(0, 2, 3), correction=0), torch.ones(32), rtol=0, atol=1e-3)
    encoder.eval()
    assert normalised(images).mean(dim=(0, 2, 3)).abs().max() > 0.1, "eval mode must use the running statistics"


def test_running_statistics_move_in_training_and_stay_in_eval_mode():
    decoder = ChenConvDecoder(latent_dim=3, image_shape=(1, 16, 16))
    means = [value for key, value in decoder.named_buffers() if key.endswith("running_mean")]
    decoder.eval()(torch.randn(8, 3))
    assert not any(mean.any() for mean in means)
    decoder.train()(torch.randn(8, 3))
    assert len(means) == 3
    assert all(mean.any() for mean in means)


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="square images"):
        ChenConvEncoder(image_shape=(1, 48, 48), num_outputs=6)
    with pytest.raises(ValueError, match="square images"):
        ChenConvDecoder(latent_dim=3, image_shape=(2, 64, 64))
