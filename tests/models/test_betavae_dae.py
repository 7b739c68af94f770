"""β-VAE_DAE: images are compared as a frozen auto-encoder sees them."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from disent_runner.datasets.batches import UniformBatches
from disent_runner.models.betavae_dae import BetaVAEDAE
from disent_runner.models.dae import DAE, FEATURE_LAYERS
from disent_runner.models.frozen import Frozen
from disent_runner.networks.initialization import he_uniform
from tests.models.conftest import LEARNING_RATE

SETTINGS = {"feature_layer": "output", "beta": 3.0, "image_sigma": 0.0, "check_dae": True, "through_dae": True}


@pytest.fixture
def dae(dataset) -> Frozen:
    torch.manual_seed(5)
    settings = {"latent_dim": 20, "activation": "tanh", "pixel_masking": 0.0, "init": he_uniform}
    model = DAE(info=dataset.info, optimizer=partial(torch.optim.Adam, lr=3e-3), **settings)
    return Frozen(model, dataset.info)


@pytest.fixture
def vae(make, dae):
    return lambda **settings: make(BetaVAEDAE, **{"dae": dae, **SETTINGS, **settings})


@pytest.mark.parametrize("layer", FEATURE_LAYERS)
def test_the_loss_is_the_squared_distance_of_features(layer, vae, dae, batch) -> None:
    model = vae(feature_layer=layer)
    torch.manual_seed(1)
    inference = model.infer(batch)
    made, wanted = (dae.model.features(x, layer) for x in (torch.sigmoid(inference.logits), batch.images))
    torch.manual_seed(1)
    logged = model.update(batch)
    torch.testing.assert_close(logged["reconstruction"], (made - wanted).square().sum(1).mean().detach())
    torch.testing.assert_close(logged["loss"], logged["reconstruction"] + 3 * logged["kl"])


def test_gradients_pass_through_the_frozen_layers_and_leave_them(vae, dae, batch) -> None:
    model = vae()
    before = {name: value.clone() for name, value in dae.model.state_dict().items()}
    weights = [*model.encoder.parameters(), *model.decoder.parameters()]
    torch.manual_seed(1)
    inference = model.infer(batch)
    features = [dae.model.features(x, "output") for x in (torch.sigmoid(inference.logits), batch.images)]
    loss = (features[0] - features[1]).square().sum(1).mean() + 3 * inference.kl.sum(1).mean()
    slopes = torch.autograd.grad(loss, weights)
    assert all(slope.abs().max() > 0 for slope in slopes)
    expected = [(weight - LEARNING_RATE * slope).detach() for weight, slope in zip(weights, slopes, strict=True)]
    torch.manual_seed(1)
    model.update(batch)
    torch.testing.assert_close([weight.detach() for weight in weights], expected)
    model.train()
    for step in range(1, 4):
        model.update(replace(batch, step=step))
    assert before.keys() == dae.model.state_dict().keys()
    assert all(torch.equal(before[name], value) for name, value in dae.model.state_dict().items())
    assert not dae.model.training
    assert not any("dae" in name for name in model.state_dict())


def test_noise_on_images_is_asked_for(vae, batch) -> None:
    model = vae(image_sigma=0.5)
    inference = model.infer(batch)
    torch.manual_seed(2)
    found = model.reconstruction(inference)
    torch.manual_seed(2)
    images = torch.sigmoid(inference.logits)
    images = images + 0.5 * torch.randn(images.shape)
    torch.testing.assert_close(found, (model.features(images) - model.features(batch.images)).square().sum(1))
    plain = vae()
    state = torch.get_rng_state()
    plain.reconstruction(inference)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_auto_encoder_at_the_mean_image_is_refused_in_one_line(vae, dae, dataset) -> None:
    dae.model.step = 300
    with torch.no_grad():
        dae.model.decoder.to_image.weight.zero_()
        dae.model.decoder.to_image.bias.fill_(-2.7)  # 16 of 256 pixels are 1
    message = (
        r"^dae is at the mean image: squared error [\d.]+, masked input [\d.]+, mean image [\d.]+; train it longer "
    )
    with pytest.raises(ValueError, match=message + r"than 300 steps, dae.trainer.max_steps=10000, or take it as it is"):
        vae().learn(dataset, np.random.default_rng(0))
    vae(check_dae=False).learn(dataset, np.random.default_rng(0))


def test_images_of_codes_are_what_the_auto_encoder_sees(vae, dae) -> None:
    codes = torch.randn(4, 3)
    images = vae(through_dae=False).decode(codes)
    torch.testing.assert_close(images, torch.sigmoid(vae().decoder(codes)))
    torch.testing.assert_close(vae().decode(codes), dae.decode(dae.encode(images)[0]))


@pytest.mark.slow
def test_one_that_denoises_is_taken(vae, dae, dataset, batch) -> None:
    dae.model.requires_grad_(True).configure_optimizers()
    source = UniformBatches(num_images=64, batch_size=32, seed=0)
    for step in range(250):
        dae.model.update(replace(batch, step=step, source=source))
    dae.model.requires_grad_(False)
    vae().learn(dataset, np.random.default_rng(0))


def test_its_objective_is_not_called_a_bound(vae, batch) -> None:
    model = vae()
    model.interval.append(model.update(batch))
    row = model.take_interval()
    assert "elbo" not in row
    assert {"loss", "reconstruction", "kl"} <= row.keys()


def test_other_parents_and_layers_are_refused(vae, make, dataset, dae) -> None:
    other = Frozen(make(BetaVAEDAE, dae=dae, **SETTINGS), dataset.info)
    with pytest.raises(ValueError, match=r"model\.dae must be a run of model=dae, got one of BetaVAEDAE"):
        vae(dae=other)
    elsewhere = Frozen(dae.model, replace(dataset.info, name="circles", image_shape=(3, 16, 16)))
    message = r"model\.dae was trained on circles of 3×16×16, these are squares of 1×16×16; train one on"
    with pytest.raises(ValueError, match=message):
        vae(dae=elsewhere)
    with pytest.raises(ValueError, match=r"model\.feature_layer must be bottleneck, decoder_hidden, output, got"):
        vae(feature_layer="last")
