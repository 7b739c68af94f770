"""JMVAE's loss against torch.distributions, and what α does to it."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from disent_runner.models.abstract_concepts import symbols_in
from disent_runner.models.jmvae import JMVAE
from disent_runner.representations.autoencoder import autoencoder_of

SETTINGS = {"alpha": 0.5, "alpha_x": 2.0, "alpha_y": 10.0}


@pytest.fixture
def taught(teach):
    return lambda **settings: teach(JMVAE, **{**SETTINGS, **settings})


def normal(posterior: tuple[torch.Tensor, torch.Tensor]) -> Normal:
    return Normal(posterior[0], (posterior[1] / 2).exp())


def joint_of(model: JMVAE, images: torch.Tensor, symbols: torch.Tensor) -> Normal:
    mean, logvar = model.encoder(images, symbols)[0].chunk(2, dim=1)
    return normal((mean, logvar.clamp(-10, 10)))


@pytest.mark.parametrize("alpha", [0.5, 0.0])
def test_loss_terms(alpha, taught) -> None:
    model, batch = taught(alpha=alpha)
    images, symbols = batch().images, symbols_in(batch())
    joint = joint_of(model, images, symbols)
    torch.manual_seed(1)
    codes = joint.mean + joint.stddev * torch.randn(joint.mean.shape)
    torch.manual_seed(1)
    terms = model.loss_terms(batch())
    nll = -Bernoulli(logits=model.decoder(codes), validate_args=False).log_prob(images).flatten(1).sum(1)
    torch.testing.assert_close(terms.pop("images"), nll)
    nll = -Bernoulli(logits=model.symbol_decoder(codes)).log_prob(symbols).sum(1)
    torch.testing.assert_close(terms.pop("symbols"), nll)
    torch.testing.assert_close(terms.pop("kl"), kl_divergence(joint, Normal(0.0, 1.0)).sum(1))
    if alpha:
        kl = kl_divergence(joint, normal(model.encode(images))).sum(1)
        torch.testing.assert_close(terms.pop("kl_to_images"), kl)
        kl = kl_divergence(joint, normal(model.encode_symbols(symbols))).sum(1)
        torch.testing.assert_close(terms.pop("kl_to_symbols"), kl)
    assert not terms


def test_metrics_ask_it_how_likely_images_are(taught, rooms) -> None:
    model, batch = taught()
    rows = batch().draw.rows.numpy()
    codes = torch.randn(len(rows), model.latent_dim)
    nll = autoencoder_of(model, rooms, rows).nll
    assert nll is not None
    with torch.no_grad():
        logits = model.decoder(codes)
    expected = -Bernoulli(logits=logits, validate_args=False).log_prob(batch().images).flatten(1).sum(1)
    torch.testing.assert_close(torch.from_numpy(nll(codes.numpy(), np.arange(len(rows)))), expected)


def test_the_loss_weighs_them(taught) -> None:
    model, batch = taught()
    logged = model.update(batch())
    bound = 2 * logged["images"] + 10 * logged["symbols"] + logged["kl"]
    torch.testing.assert_close(logged["loss"], bound + 0.5 * (logged["kl_to_images"] + logged["kl_to_symbols"]))


def test_a_modality_alone_does_not_look_at_the_other(taught) -> None:
    model, batch = taught()
    mean, _ = model.encode_symbols(symbols_in(batch()))
    assert mean.shape == (12, 3)
    torch.testing.assert_close(
        model.encode(batch().images)[0], model.encoder(batch().images, torch.ones(12, 12))[1].chunk(2, 1)[0]
    )


def test_jmvae_zero_has_zeros_for_what_is_missing(taught) -> None:
    model, batch = taught(alpha=0.0)
    images, symbols = batch().images, symbols_in(batch())
    joint = joint_of(model, images, torch.zeros_like(symbols))
    torch.testing.assert_close(model.encode(images)[0], joint.mean)
    joint = joint_of(model, torch.zeros_like(images), symbols)
    torch.testing.assert_close(model.encode_symbols(symbols)[0], joint.mean)
    before = {name: value.clone() for name, value in model.named_parameters()}
    for step in range(3):
        model.update(batch(step))
    assert not [name for name, value in model.named_parameters() if torch.equal(value, before[name])]


@pytest.mark.slow
def test_a_larger_alpha_brings_the_posterior_of_symbols_to_that_of_both(taught) -> None:
    distances = []
    for alpha in (0.01, 30.0):
        model, batch = taught(alpha=alpha, alpha_x=1.0)
        model.optimizer_of["model"] = torch.optim.Adam(model.parameters(), lr=1e-3)
        for step in range(200):
            model.update(batch(step))
        with torch.no_grad():
            terms = [model.loss_terms(batch(step))["kl_to_symbols"] for step in range(200, 205)]
        distances.append(torch.cat(terms).mean().item())
    assert distances[1] < distances[0] / 2
