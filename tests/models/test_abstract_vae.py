"""What all VAEs share, against torch.distributions."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from disent_runner.datasets.batches import Batch, BatchSource, Draw, UniformBatches
from disent_runner.losses.likelihoods import LearnedGaussian
from disent_runner.models.betavae import BetaVAE
from disent_runner.models.btcvae import BetaTCVAE
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


@pytest.mark.parametrize("start", [-20.0, 20.0])
def test_log_variances_are_kept_within_ten_and_come_back(make, batch, start):
    """From far beyond a bound, as after too large a step, a KL with a large weight leads them to the prior's."""
    model = make(BetaVAE, beta=1e3, normalized=False)
    bias = model.encoder.head[-1].bias
    torch.nn.init.constant_(bias[3:], start)
    _, logvar = model.encode(batch.images)
    assert (logvar == math.copysign(10, start)).all()
    model.optimizer_of["model"] = torch.optim.Adam([bias], lr=1.0)
    for _ in range(50):
        model.update(batch)
    assert model.encode(batch.images)[1].abs().max() < 3.0


def test_the_total_correlation_is_that_of_all_batches_of_an_interval(make, dataset):
    """Against NumPy on the codes of the images themselves; the encoder stands still. A covariance is no column."""
    model = make(VAE, optimizer=partial(torch.optim.SGD, lr=0.0))
    with torch.no_grad():
        model.encoder.head[-1].weight[1] += 2 * model.encoder.head[-1].weight[0]
        model.encoder.head[-1].bias[3:] = -6
        mean, logvar = (values.double().numpy() for values in model.encode(dataset.gather(torch.arange(64))))
    covariance = np.cov(mean.T) + np.diag(np.exp(logvar).mean(0))
    expected = 0.5 * (np.log(covariance.diagonal()).sum() - np.linalg.slogdet(covariance)[1])
    source = UniformBatches(num_images=64, batch_size=16, seed=0)
    looks = [*range(0, 400, 10), 399]
    batches = [Batch(step, step == 399, source, dataset, torch.device("cpu")) for step in (1, *looks)]
    model.interval = [model.update(batch) for batch in batches]
    assert ["covariance" in values for values in model.interval] == [False] + [True] * 41
    row = model.take_interval()
    assert expected > 0.5
    assert row["total_correlation_gaussian"] == pytest.approx(expected, rel=0.1)
    assert not [name for name in row if name.startswith("covariance")]


@pytest.mark.parametrize("draw", [{"kind": ("row",)}, {"partners": torch.arange(12)}])
def test_batches_that_share_factors_or_are_pairs_have_no_total_correlation(make, dataset, draw):
    class Grouped(BatchSource):
        def draw(self, step, stream=0):
            return Draw(torch.arange(12), **draw)

    batch = Batch(step=0, is_logged=True, source=Grouped(), dataset=dataset, device=torch.device("cpu"))
    assert "covariance" not in make(VAE).update(batch)


def test_batches_larger_than_the_data_set_are_trained_on(make, dataset):
    source = UniformBatches(num_images=64, batch_size=100, seed=0, replacement=True)
    batch = Batch(step=0, is_logged=True, source=source, dataset=dataset, device=torch.device("cpu"))
    assert "covariance" in make(VAE).update(batch)
    weighted = make(BetaTCVAE, alpha=1.0, beta=6.0, gamma=1.0, estimator="weighted")
    assert weighted.update(batch)["loss"].isfinite()


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


def test_what_is_free_of_a_latent_s_kl_sends_no_gradient(make, batch):
    """With all of the KL free, an update is that of the reconstruction alone; the log has the KL as it is."""
    free = make(VAE, free_bits=100.0)
    torch.manual_seed(1)
    logged = free.update(batch)
    torch.testing.assert_close(logged["loss"], logged["reconstruction"] + 3 * 100.0)
    alone = make(BetaVAE, beta=0.0, normalized=False)
    torch.manual_seed(1)
    alone.update(batch)
    assert all(map(torch.equal, free.parameters(), alone.parameters()))
    free.interval, free.step = [logged], 1
    row = free.take_interval()
    assert row["kl"] == pytest.approx(row["kl_latent_0"] + row["kl_latent_1"] + row["kl_latent_2"])
    assert row["kl"] < 100


def test_free_bits_are_for_models_with_a_kl(make):
    with pytest.raises(ValueError, match="free_bits is of the term kl, which BetaTCVAE has not; leave it out"):
        make(BetaTCVAE, alpha=1.0, beta=1.0, gamma=1.0, estimator="weighted", free_bits=1.0).check_weights()


def test_free_bits_are_a_number(make):
    with pytest.raises(ValueError, match="free_bits must be a number of nats of at least 0, or null, got 'some'"):
        make(VAE, free_bits="some")


def test_a_likelihood_s_sigma_is_learned_with_the_networks(make, batch):
    model = make(VAE, likelihood=LearnedGaussian())
    model.update(batch)
    assert model.likelihood.log_sigma != 0
    assert "likelihood.log_sigma" in model.state_dict()
