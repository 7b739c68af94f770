"""FactorQVAE's two players, against what the authors' code does, written out plainly."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional

from disent_runner.losses.likelihoods import Gaussian
from disent_runner.models.factorqvae import FactorQVAE
from disent_runner.networks.discriminator import MLPDiscriminator
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder

LEARNING_RATE = 0.1


@pytest.fixture
def make(dataset):
    def build(optimizer=torch.optim.SGD, lr: float = LEARNING_RATE, **settings) -> FactorQVAE:
        torch.manual_seed(0)
        factory = partial(optimizer, lr=lr)
        common = {
            "latent_dim": 3,
            "encoder": TinyEncoder,
            "decoder": TinyDecoder,
            "likelihood": Gaussian(sigma=0.5**0.5),
            "num_values": 8,
            "temperature": 1.0,
            "beta": 0.2,
            "gamma": 0.3,
            "discriminator": partial(MLPDiscriminator, width=20, depth=2),
            "optimizer": factory,
            "discriminator_optimizer": factory,
        }
        model = FactorQVAE(info=dataset.info, **{**common, **settings})
        model.configure_optimizers()
        return model

    return build


def test_the_models_step_is_the_gradient_of_its_own_loss(make, batch):
    model = make()
    own = {name: value for name, value in model.named_parameters() if not name.startswith("discriminator")}
    before = {name: value.detach().clone() for name, value in own.items()}
    images = batch.images
    distances = (model.encoder(images)[:, :, None] - model.values[0]) ** 2
    torch.manual_seed(1)
    drawn = functional.gumbel_softmax(-distances, tau=1.0, dim=-1)
    decoded = model.decoder(torch.einsum("blv,v->bl", drawn, model.values[0])).sigmoid()
    chances = functional.softmax(-distances, dim=-1)
    kl = (chances * torch.log(chances * 8 + 1e-10)).sum(-1).mean()
    told = model.discriminator(drawn.flatten(1))
    loss = functional.mse_loss(decoded, images) + 0.2 * kl + 0.3 * (told[:, 0] - told[:, 1]).mean()
    gradients = torch.autograd.grad(loss, list(own.values()))
    torch.manual_seed(1)
    logged = model.update(batch)
    assert logged["kl"].item() == pytest.approx(kl.item(), rel=1e-4)
    for (name, value), gradient in zip(own.items(), gradients, strict=True):
        torch.testing.assert_close(value.detach(), before[name] - LEARNING_RATE * gradient, rtol=1e-4, atol=1e-6)


def test_the_discriminator_learns_from_permuted_draws_of_a_second_batch(make, batch):
    model = make()
    quantized = model.quantize(model.continuous(batch.images))
    others = [value for name, value in model.named_parameters() if not name.startswith("discriminator")]
    untouched = [value.detach().clone() for value in others]
    first = model.adversary_step(quantized, batch)["discriminator_loss"]
    assert all(map(torch.equal, untouched, others))
    assert first.item() == pytest.approx(0.69, abs=0.3)
    *_, last = (model.adversary_step(quantized, batch) for _ in range(300))  # the same few draws, again and again
    assert last["discriminator_loss"] < first
    assert last["discriminator_accuracy"] > 0.7


def test_codes_are_the_nearest_of_one_book(make, batch):
    model = make()
    codes, logvar = model.encode(batch.images)
    assert logvar is None
    outputs, book = model.encoder(batch.images), model.values[0]
    nearest = book[(outputs[:, :, None] - book).abs().argmin(2)]
    assert torch.equal(codes, nearest)
    samples = model.sample_codes(200, np.random.default_rng(0))
    assert samples.shape == (200, 3)
    assert all(set(column) == set(book.tolist()) for column in samples.T.astype(float))


def test_it_learns_the_images(make, batch):
    model = make(optimizer=torch.optim.Adam, lr=5e-3, beta=1e-3, gamma=1e-4)
    book = model.values.detach().clone()
    losses = [float(model.update(replace(batch, step=step))["reconstruction"]) for step in range(150)]
    constant = 0.5 * torch.log(torch.tensor(torch.pi)).item()  # of a Gaussian whose variance is one half
    assert losses[-1] - constant < 0.6 * (losses[0] - constant)
    assert not torch.equal(model.values, book)


@pytest.mark.parametrize(("key", "value"), [("num_values", 1), ("temperature", 0.0)])
def test_settings_that_are_no_quantization(key, value, make):
    with pytest.raises(ValueError, match=rf"^model\.{key} must be a .*, got {value}"):
        make(**{key: value})
