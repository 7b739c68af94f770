"""What all VAEs share, against torch.distributions."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from disent_runner.models.vae import VAE


def test_inference_and_loss_terms(make, batch):
    model = make(VAE)
    torch.manual_seed(1)
    terms = model.loss_terms(batch)
    torch.manual_seed(1)
    inference = model.infer(batch)
    posterior = Normal(inference.mean, (inference.logvar / 2).exp())
    torch.testing.assert_close(inference.kl, kl_divergence(posterior, Normal(0.0, 1.0)))
    pixels = Bernoulli(logits=inference.logits).log_prob(batch.images)
    torch.testing.assert_close(terms["reconstruction"], -pixels.flatten(1).sum(1))
    torch.testing.assert_close(terms["kl"], inference.kl.sum(1))


@pytest.mark.slow
def test_codes_are_drawn_from_the_posterior(make, batch):
    model = make(VAE)
    torch.manual_seed(0)
    with torch.no_grad():
        mean, logvar = model.encode(batch.images)
        codes = torch.stack([model.infer(batch).codes for _ in range(1000)])
    deviation = (logvar / 2).exp()
    assert ((codes.mean(0) - mean) / deviation).abs().max() < 4.5 / 1000**0.5
    assert (codes.std(0) / deviation - 1).abs().max() < 4.5 / (2 * 1000) ** 0.5


def test_log_variances_are_kept_within_ten(make, batch):
    model = make(VAE)
    torch.nn.init.constant_(list(model.encoder.parameters())[-1], 1e4)
    _, logvar = model.encode(batch.images)
    assert logvar.max() == 10.0


def test_monitors_agree_with_the_terms(make, batch):
    model = make(VAE)
    logged = [model.update(batch) for _ in range(3)]
    assert not any(value.requires_grad for values in logged for value in values.values())
    torch.testing.assert_close(logged[0]["kl"], logged[0]["kl_latent"].sum())
    model.interval, model.step = logged, 3
    row = model.take_interval()
    assert row["kl"] == pytest.approx(sum(row[f"kl_latent_{latent}"] for latent in range(3)))
    assert row["elbo"] == pytest.approx(-(row["reconstruction"] + row["kl"]))
    assert row["loss"] == pytest.approx(-row["elbo"], rel=1e-6)
