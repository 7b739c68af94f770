"""Every file of conf/network keeps the contract of an encoder and a decoder; nothing here lists their names."""

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf"
NETWORKS = sorted(path.stem for path in (CONF / "network").glob("*.yaml"))
INITS = sorted(path.stem for path in (CONF / "init").glob("*.yaml"))
IMAGE_SHAPES = [(1, 32, 32), (3, 64, 64)]


def build(network: str, image_shape: tuple[int, int, int], init: str = "he"):
    """Encoder with 12 outputs and decoder of 6 latents, as the config describes them."""
    config = OmegaConf.create(
        {
            "init": OmegaConf.load(CONF / f"init/{init}.yaml"),
            "network": OmegaConf.load(CONF / f"network/{network}.yaml"),
        }
    )
    factories = instantiate(config).network
    torch.manual_seed(0)
    encoder = factories.encoder(image_shape=image_shape, num_outputs=12)
    return encoder, factories.decoder(latent_dim=6, image_shape=image_shape)


@pytest.mark.parametrize("image_shape", IMAGE_SHAPES, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_codes_come_out_of_images_and_images_out_of_codes(name, image_shape):
    encoder, decoder = build(name, image_shape)
    images = torch.rand(4, *image_shape)
    codes = encoder(images)
    logits = decoder(torch.randn(4, 6))
    assert codes.shape == (4, 12)
    assert logits.shape == images.shape
    assert codes.std(dim=0).min() > 1e-3, "an output that does not depend on the image"
    assert logits.min() < 0 < logits.max(), "the decoder must return logits, not probabilities"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_gets_a_gradient(name):
    encoder, decoder = build(name, (1, 32, 32))
    images = torch.rand(32, 1, 32, 32)
    codes = encoder(images)[:, :6] + 3 * torch.randn(32, 6)
    loss = (decoder(codes) * torch.randn(images.shape)).sum() + (encoder(images) * torch.randn(32, 12)).sum()
    loss.backward()
    for key, value in [*encoder.named_parameters(), *decoder.named_parameters()]:
        assert value.grad is not None, key
        assert value.grad.abs().max() > 1e-6, key
        assert torch.isfinite(value.grad).all(), key


@pytest.mark.parametrize("name", NETWORKS)
def test_codes_are_not_rounded_to_bfloat16(name):
    """Autocast rounds what leads to them, not the means and log variances themselves."""
    encoder, _ = build(name, (1, 32, 32))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        codes = encoder(torch.rand(8, 1, 32, 32))
    assert codes.dtype == torch.float32
    assert not torch.equal(codes, codes.bfloat16().float())


@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_does_not_see_the_others_in_eval_mode(name):
    encoder, decoder = (network.eval() for network in build(name, (1, 32, 32)))
    images, codes = torch.rand(5, 1, 32, 32), torch.randn(5, 6)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images)[2:3], encoder(images[2:3]), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(decoder(codes)[2:3], decoder(codes[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_drawn_from_the_global_generator(name):
    first, second = build(name, (1, 32, 32)), build(name, (1, 32, 32))
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("init", INITS)
def test_the_chosen_init_reaches_the_network(init):
    """The three files draw other weights for one seed."""
    others = [build("tiny", (1, 32, 32), other)[1] for other in INITS if other != init]
    weight = build("tiny", (1, 32, 32), init)[1].deconvolutions[-1].weight
    assert len(others) >= 2
    assert not any(torch.equal(weight, other.deconvolutions[-1].weight) for other in others)
