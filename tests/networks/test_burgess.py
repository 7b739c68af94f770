import pytest
import torch

from disent_runner.networks.burgess import BurgessDecoder, BurgessEncoder


def test_the_encoder_is_that_of_the_paper(geometry, activations, num_parameters):
    encoder = BurgessEncoder(image_shape=(1, 64, 64), num_outputs=20)
    convolutions = [(1, 32, 4, 2, 1)] + [(32, 32, 4, 2, 1)] * 3
    assert geometry(encoder) == [*convolutions, (512, 256), (256, 256), (256, 20)]
    assert activations(encoder) == ["ReLU"] * 4 + ["Flatten", "ReLU", "ReLU"]
    assert num_parameters(encoder) == 544 + 3 * 16_416 + 131_328 + 65_792 + 5_140


def test_the_decoder_mirrors_it(geometry, activations, num_parameters):
    decoder = BurgessDecoder(latent_dim=10, image_shape=(1, 64, 64))
    deconvolutions = [(32, 32, 4, 2, 1)] * 3 + [(32, 1, 4, 2, 1)]
    assert geometry(decoder) == [(10, 256), (256, 256), (256, 512), *deconvolutions]
    assert activations(decoder) == ["ReLU"] * 3 + ["Unflatten"] + ["ReLU"] * 3
    assert num_parameters(decoder) == 2_816 + 65_792 + 131_584 + 3 * 16_416 + 513


def test_images_of_32_pixels_get_one_convolution_less(geometry):
    encoder = BurgessEncoder(image_shape=(3, 32, 32), num_outputs=20)
    assert geometry(encoder)[:3] == [(3, 32, 4, 2, 1), (32, 32, 4, 2, 1), (32, 32, 4, 2, 1)]
    assert geometry(encoder)[3] == (512, 256)


@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_goes_in_and_comes_out(channels, side):
    shape = (channels, side, side)
    with torch.no_grad():
        assert BurgessEncoder(image_shape=shape, num_outputs=6)(torch.rand(2, *shape)).shape == (2, 6)
        assert BurgessDecoder(latent_dim=3, image_shape=shape)(torch.randn(2, 3)).shape == (2, *shape)


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="square images"):
        BurgessEncoder(image_shape=(1, 48, 48), num_outputs=6)
    with pytest.raises(ValueError, match="square images"):
        BurgessDecoder(latent_dim=3, image_shape=(2, 64, 64))
