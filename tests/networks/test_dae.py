import pytest
import torch
from torch.nn import functional

from disent_runner.networks.dae import DAEDecoder, DAEEncoder


def test_the_encoder_is_that_of_the_replication(geometry, activations):
    encoder = DAEEncoder(image_shape=(3, 64, 64), num_outputs=100)
    convolutions = [(3, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 64, 4, 2, 1), (64, 64, 4, 2, 1)]
    assert geometry(encoder) == [*convolutions, (1024, 100)]
    assert activations(encoder) == ["ELU"] * 4 + ["Flatten"]


def test_the_decoder_mirrors_it(geometry, activations):
    decoder = DAEDecoder(latent_dim=100, image_shape=(3, 64, 64))
    convolutions = [(64, 64, 4, 2, 1), (64, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 3, 4, 2, 1)]
    assert geometry(decoder) == [(100, 1024), *convolutions]
    assert activations(decoder) == ["ELU", "Unflatten", "ELU", "ELU"]  # and one before the image


def test_images_are_made_of_the_last_hidden_layer():
    decoder = DAEDecoder(latent_dim=5, image_shape=(3, 32, 32)).eval()
    codes = torch.randn(2, 5)
    hidden = decoder.hidden(codes)
    assert hidden.shape == (2, 32, 16, 16)
    assert hidden.min() < -1  # before the ELU, which ends at -1
    torch.testing.assert_close(decoder(codes), decoder.to_image(functional.elu(hidden)))


@pytest.mark.parametrize("side", [16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_goes_in_and_comes_out(channels, side):
    shape = (channels, side, side)
    with torch.no_grad():
        assert DAEEncoder(image_shape=shape, num_outputs=6)(torch.rand(2, *shape)).shape == (2, 6)
        assert DAEDecoder(latent_dim=3, image_shape=shape)(torch.randn(2, 3)).shape == (2, *shape)


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="square images"):
        DAEEncoder(image_shape=(1, 48, 48), num_outputs=6)
