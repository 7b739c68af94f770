import torch

from disent_runner.networks.symbols import JointEncoder, SymbolNetwork
from disent_runner.networks.tiny import TinyEncoder


def test_one_hidden_layer(geometry, activations):
    network = SymbolNetwork(num_inputs=51, num_outputs=64)
    assert geometry(network) == [(51, 100), (100, 64)]
    assert activations(network) == ["ReLU"]


def joint(**settings) -> JointEncoder:
    torch.manual_seed(0)
    return JointEncoder(encoder=TinyEncoder, image_shape=(3, 16, 16), num_symbols=5, num_outputs=8, **settings)


def test_both_posteriors_are_of_one_look_at_the_images(geometry):
    encoder = joint()
    own = [(5, 100), (356, 256), (256, 8), (256, 8)]
    assert geometry(encoder) == [*own, *geometry(TinyEncoder(image_shape=(3, 16, 16), num_outputs=256))]
    images, symbols = torch.rand(4, 3, 16, 16), torch.eye(5)[:4]
    both, alone = encoder(images, symbols)
    assert alone is not None
    torch.testing.assert_close(alone, encoder.of_images(images))
    torch.testing.assert_close(alone, encoder(images, torch.zeros(4, 5))[1])  # whatever the symbols are
    assert not torch.allclose(both, encoder(images, torch.zeros(4, 5))[0])
    assert not torch.allclose(both, encoder(torch.zeros(4, 3, 16, 16), symbols)[0])


def test_without_the_posterior_of_images_alone(num_parameters):
    encoder = joint(images_alone=False)
    assert encoder(torch.rand(4, 3, 16, 16), torch.eye(5)[:4])[1] is None
    assert num_parameters(joint()) - num_parameters(encoder) == 257 * 8
