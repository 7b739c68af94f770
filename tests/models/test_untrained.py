import torch

from disent_runner.models.untrained import Untrained
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder


def test_codes_are_the_means_of_a_network_that_does_not_learn(dataset) -> None:
    torch.manual_seed(0)
    model = Untrained(info=dataset.info, latent_dim=3, encoder=TinyEncoder, decoder=TinyDecoder)
    images = dataset.gather(torch.arange(5))
    codes, logvar = model.encode(images)
    assert logvar is None
    torch.testing.assert_close(codes, model.encoder(images)[:, :3])
    assert model.decode(codes).shape == images.shape
    assert not any(parameter.requires_grad for parameter in model.parameters())
    torch.manual_seed(1)
    other = Untrained(info=dataset.info, latent_dim=3, encoder=TinyEncoder, decoder=TinyDecoder)
    assert not torch.equal(other.encode(images)[0], codes)
