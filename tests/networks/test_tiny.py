import pytest
import torch

from disent_runner.networks.tiny import TinyDecoder, TinyEncoder


def test_the_encoder_is_small(geometry, activations, num_parameters):
    encoder = TinyEncoder(image_shape=(1, 32, 32), num_outputs=12)
    assert geometry(encoder) == [(1, 16, 4, 2, 1), (16, 32, 4, 2, 1), (2048, 64), (64, 12)]
    assert activations(encoder) == ["ReLU", "ReLU", "Flatten", "ReLU"]
    assert num_parameters(encoder) == 272 + 8_224 + 131_136 + 780


def test_the_decoder_mirrors_it(geometry, activations, num_parameters):
    decoder = TinyDecoder(latent_dim=6, image_shape=(1, 32, 32))
    assert geometry(decoder) == [(6, 64), (64, 2048), (32, 16, 4, 2, 1), (16, 1, 4, 2, 1)]
    assert activations(decoder) == ["ReLU", "ReLU", "Unflatten", "ReLU"]
    assert num_parameters(decoder) == 448 + 133_120 + 8_208 + 257


@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_goes_in_and_comes_out(channels, side):
    shape = (channels, side, side)
    with torch.no_grad():
        assert TinyEncoder(image_shape=shape, num_outputs=6)(torch.rand(2, *shape)).shape == (2, 6)
        assert TinyDecoder(latent_dim=3, image_shape=shape)(torch.randn(2, 3)).shape == (2, *shape)


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="square images"):
        TinyEncoder(image_shape=(1, 48, 48), num_outputs=6)
    with pytest.raises(ValueError, match="square images"):
        TinyDecoder(latent_dim=3, image_shape=(2, 64, 64))
