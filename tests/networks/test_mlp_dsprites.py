import torch

from disent_runner.networks.mlp_dsprites import MLPDspritesDecoder, MLPDspritesEncoder


def test_the_encoder_has_two_relu_layers_of_1200(geometry, activations, num_parameters):
    encoder = MLPDspritesEncoder(image_shape=(1, 64, 64), num_outputs=20)
    assert geometry(encoder) == [(4096, 1200), (1200, 1200), (1200, 20)]
    assert activations(encoder) == ["Flatten", "ReLU", "ReLU"]
    assert num_parameters(encoder) == 4_916_400 + 1_441_200 + 24_020


def test_the_decoder_has_three_tanh_layers_of_1200(geometry, activations, num_parameters):
    decoder = MLPDspritesDecoder(latent_dim=10, image_shape=(1, 64, 64))
    assert geometry(decoder) == [(10, 1200), (1200, 1200), (1200, 1200), (1200, 4096)]
    assert activations(decoder) == ["Tanh", "Tanh", "Tanh", "Unflatten"]
    assert num_parameters(decoder) == 13_200 + 2 * 1_441_200 + 4_919_296


def test_images_of_any_shape_keep_their_pixel_order():
    shape = (2, 5, 7)
    encoder = MLPDspritesEncoder(image_shape=shape, num_outputs=6)
    decoder = MLPDspritesDecoder(latent_dim=3, image_shape=shape)
    with torch.no_grad():
        images, codes = torch.rand(3, *shape), torch.randn(3, 3)
        torch.testing.assert_close(encoder(images), encoder.layers[1:](images.reshape(3, 70)))
        torch.testing.assert_close(decoder(codes).reshape(3, 70), decoder.layers[:-1](codes))
