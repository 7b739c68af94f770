import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

from disent_runner.assembly import build
from disent_runner.datasets.batches import Batch, UniformBatches
from disent_runner.metrics.elbo import bounds_of_images, elbo
from disent_runner.metrics.estimators import sampling
from disent_runner.models.abstract_vae import AbstractVAE
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import NotApplicable

NUM_IMAGES, NUM_PIXELS, NUM_LATENTS = 200, 12, 3
SIGMA = 0.5


class LinearGaussian:
    """p(x|z) = N(W z + b, SIGMA² I), whose log p(x) and posterior N(mean, covariance) are known."""

    def __init__(self, weights, seed=0):
        rng = np.random.default_rng(seed)
        self.weights, self.bias = weights, rng.standard_normal(NUM_PIXELS)
        codes, noise = rng.standard_normal((NUM_IMAGES, NUM_LATENTS)), rng.standard_normal((NUM_IMAGES, NUM_PIXELS))
        self.images = codes @ weights.T + self.bias + SIGMA * noise
        self.covariance = np.linalg.inv(np.eye(NUM_LATENTS) + weights.T @ weights / SIGMA**2)
        self.mean = (self.images - self.bias) @ weights @ self.covariance / SIGMA**2

    def log_likelihood(self):
        covariance = self.weights @ self.weights.T + SIGMA**2 * np.eye(NUM_PIXELS)
        return multivariate_normal.logpdf(self.images, self.bias, covariance)

    def nll(self, codes, rows):
        return -norm.logpdf(self.images[rows], codes @ self.weights.T + self.bias, SIGMA).sum(axis=1)

    def kl_to_posterior(self, mean, logvar):
        """KL(q || p(z|x)) of each image, between normal distributions."""
        precision = np.linalg.inv(self.covariance)
        distance = np.einsum("ni,ij,nj->n", mean - self.mean, precision, mean - self.mean)
        trace = (np.exp(logvar) * np.diag(precision)).sum(axis=1)
        return 0.5 * (trace + distance - NUM_LATENTS + np.linalg.slogdet(self.covariance)[1] - logvar.sum(axis=1))

    def representation(self, mean, logvar):
        autoencoder = Autoencoder(
            images=lambda rows: self.images[rows].reshape(-1, 1, 3, 4).astype(np.float32),
            decode=lambda codes: (codes @ self.weights.T + self.bias).reshape(-1, 1, 3, 4).astype(np.float32),
            jacobian=lambda codes: np.broadcast_to(self.weights, (len(codes), *self.weights.shape)),
            prior=lambda count, rng: rng.standard_normal((count, self.weights.shape[1])),
            nll=self.nll,
        )
        labels = np.empty((NUM_IMAGES, 0), dtype=np.int64)
        return Representation(mean, labels, (), logvar=logvar, autoencoder=autoencoder)


def orthogonal_columns():
    """The posterior is then a product of independent normals, as the encoder's are."""
    basis = np.linalg.qr(np.random.default_rng(1).standard_normal((NUM_PIXELS, NUM_LATENTS))).Q
    return basis * [1.0, 0.6, 0.2]


@pytest.fixture
def exact():
    """Model, means and log variances of its own posteriors."""
    model = LinearGaussian(orthogonal_columns())
    return model, model.mean, np.broadcast_to(np.log(np.diag(model.covariance)), model.mean.shape)


@pytest.fixture
def approximate():
    """Model with correlated posteriors, and posteriors that are off in mean and variance."""
    model = LinearGaussian(0.4 * np.random.default_rng(2).standard_normal((NUM_PIXELS, NUM_LATENTS)))
    return model, model.mean + 0.1, np.broadcast_to(np.log(1.3 * np.diag(model.covariance)), model.mean.shape)


def bounds(problem, *, samples, seed=0):
    model, mean, logvar = problem
    rng = np.random.default_rng(seed)
    return bounds_of_images(model.nll, np.arange(NUM_IMAGES), mean, logvar, num_importance_samples=samples, rng=rng)


@pytest.mark.parametrize("samples", [1, 2, 50])
def test_with_the_exact_posterior_every_weight_is_the_likelihood(exact, samples):
    np.testing.assert_allclose(bounds(exact, samples=samples).importance_weighted, exact[0].log_likelihood(), rtol=1e-9)


def test_with_the_exact_posterior_the_elbo_is_the_likelihood(exact):
    estimate = np.array([bounds(exact, samples=100, seed=seed).elbo.mean() for seed in range(10)])
    truth = exact[0].log_likelihood().mean()
    assert estimate.mean() == pytest.approx(truth, abs=4 * estimate.std(ddof=1) / np.sqrt(10))
    assert estimate.std(ddof=1) < 0.05


def test_the_elbo_falls_short_by_the_kl_to_the_posterior(approximate):
    model, mean, logvar = approximate
    gap = model.kl_to_posterior(mean, logvar).mean()
    estimate = np.array([bounds(approximate, samples=100, seed=seed).elbo.mean() for seed in range(10)])
    error = estimate.std(ddof=1) / np.sqrt(10)
    assert model.log_likelihood().mean() - estimate.mean() == pytest.approx(gap, abs=4 * error)
    assert gap > 20 * error


def test_many_weights_reach_the_likelihood_from_below(approximate):
    truth = approximate[0].log_likelihood().mean()
    ladder = [
        np.array([bounds(approximate, samples=samples, seed=seed).importance_weighted.mean() for seed in range(4)])
        for samples in (1, 4, 16, 64, 1024)
    ]
    means = [values.mean() for values in ladder]
    assert means == sorted(means)
    assert means[0] < means[2] - 0.05  # 0.1 nats and more are to be gained
    assert means[-1] == pytest.approx(truth, abs=5e-3)
    assert means[-1] < truth + 4 * ladder[-1].std(ddof=1) / np.sqrt(4)


def test_one_weight_has_the_elbo_as_its_expectation(approximate):
    difference = np.array([np.subtract(*bounds(approximate, samples=1, seed=seed)).mean() for seed in range(100)])
    assert difference.mean() == pytest.approx(0.0, abs=4 * difference.std(ddof=1) / 10)


def test_weights_far_below_the_smallest_number_count(exact):
    model, mean, logvar = exact
    shift = 5_000.0  # nats: exp(-5000) is 0 in double precision
    far = bounds_of_images(
        lambda codes, rows: model.nll(codes, rows) + shift,
        np.arange(NUM_IMAGES),
        mean,
        logvar,
        num_importance_samples=8,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_allclose(far.importance_weighted, model.log_likelihood() - shift, rtol=1e-9)


def test_a_collapsed_posterior_has_no_kl(rng):
    """q = p(z) and a decoder that ignores z: every bound is log p(x) = log N(x; b, SIGMA²)."""
    model = LinearGaussian(np.zeros((NUM_PIXELS, NUM_LATENTS)))
    zeros = np.zeros((NUM_IMAGES, NUM_LATENTS), dtype=np.float32)
    scores = elbo(model.representation(zeros, zeros), rng=rng)
    truth = norm.logpdf(model.images, model.bias, SIGMA).sum(axis=1).mean()
    assert scores["elbo"] == scores["importance_weighted_bound"] == pytest.approx(truth, rel=1e-12)


def test_the_entry_averages_over_images(exact, rng):
    model, mean, logvar = exact
    scores = elbo(model.representation(mean, np.array(logvar)), rng=rng)
    truth = model.log_likelihood()
    assert scores["importance_weighted_bound"] == pytest.approx(truth.mean(), rel=1e-9)
    standard_error = truth.std(ddof=1) / np.sqrt(NUM_IMAGES)
    assert scores["importance_weighted_bound_standard_error"] == pytest.approx(standard_error, rel=1e-9)
    assert scores["elbo_standard_error"] == pytest.approx(standard_error, rel=0.1)
    assert scores["importance_weighted_bits_per_dim"] == pytest.approx(-truth.mean() / NUM_PIXELS / np.log(2))
    assert scores["elbo"] == pytest.approx(truth.mean(), abs=0.1)


def test_the_standard_error_is_that_of_the_choice_of_images(exact):
    model, mean, logvar = exact
    rep = model.representation(mean, np.array(logvar))
    runs = [elbo(rep, rng=np.random.default_rng(seed), num_images=20, num_importance_samples=1) for seed in range(60)]
    spread = np.std([run["importance_weighted_bound"] for run in runs], ddof=1)
    stated = np.mean([run["importance_weighted_bound_standard_error"] for run in runs])
    assert spread == pytest.approx(stated * np.sqrt(1 - 20 / NUM_IMAGES), rel=0.3)  # drawn without replacement


def test_one_image_has_no_standard_error(exact, rng):
    model, mean, logvar = exact
    scores = elbo(model.representation(mean, np.array(logvar)), rng=rng, num_images=1)
    assert set(scores) == {"elbo", "importance_weighted_bound", "importance_weighted_bits_per_dim"}
    pair = elbo(model.representation(mean, np.array(logvar)), rng=rng, num_images=2)
    apart = np.abs(np.subtract.outer(model.log_likelihood(), model.log_likelihood()))
    assert np.isclose(pair["importance_weighted_bound_standard_error"], apart / 2, rtol=1e-9).any()


def test_chunks_draw_the_same_noise(approximate, monkeypatch):
    whole = bounds(approximate, samples=16)
    monkeypatch.setattr(sampling, "VALUES_PER_CHUNK", 16 * NUM_LATENTS * 7)
    for parts, together in zip(bounds(approximate, samples=16), whole, strict=True):
        np.testing.assert_allclose(parts, together, rtol=1e-12)


@pytest.mark.slow
def test_a_model_s_bounds_agree_with_its_loss(composed, tmp_path, rng):
    config = composed("model=vae", "likelihood=gaussian")
    data = build.build_data(config).dataset
    torch.manual_seed(0)
    model = build.build_model(config, data.info)
    assert isinstance(model, AbstractVAE)
    rep = encode_once(model, data, folder=tmp_path, indices=np.arange(30), batch_size=16).representation
    scores = elbo(rep, rng=rng)
    first_images = UniformBatches(num_images=30, batch_size=30, seed=0)
    batch = Batch(step=0, is_logged=True, source=first_images, dataset=data, device=torch.device("cpu"))
    with torch.no_grad():
        inferred = [model.infer(batch) for _ in range(50)]
        nats = [model.likelihood.nll(one.logits, one.images) + one.kl.sum(1) for one in inferred]
    loss = torch.stack(nats).double().mean(1)
    assert -scores["elbo"] == pytest.approx(loss.mean().item(), abs=5 * loss.std().item() / 50**0.5)
    assert scores["importance_weighted_bound"] > scores["elbo"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"autoencoder": None}, "elbo needs the model's decoder and images", id="codes alone"),
        pytest.param({"logvar": None}, "elbo needs the posterior's logvar, got point codes", id="point codes"),
        pytest.param({"nll": None}, r"elbo needs the model's likelihood p\(x\|z\)", id="no likelihood"),
    ],
)
def test_what_has_no_elbo_is_skipped(exact, rng, change, message):
    model, mean, logvar = exact
    rep = model.representation(mean, np.array(logvar))
    if "nll" in change:
        change = {"autoencoder": dataclasses.replace(rep.autoencoder, **change)}
    with pytest.raises(NotApplicable, match=message):
        elbo(dataclasses.replace(rep, **change), rng=rng)


@pytest.mark.parametrize("name", ["num_images", "num_importance_samples"])
def test_settings_are_checked(exact, rng, name):
    model, mean, logvar = exact
    with pytest.raises(ValueError, match=f"elbo needs {name} >= 1, got 0"):
        elbo(model.representation(mean, np.array(logvar)), rng=rng, **{name: 0})


def test_an_impossible_image_is_an_error(exact):
    _, mean, logvar = exact
    with pytest.raises(ValueError, match=r"elbo needs a finite -log p\(x\|z\), got 2 of 400"):
        bounds_of_images(
            lambda codes, rows: np.where(rows == 3, np.inf, 0.0),
            np.arange(NUM_IMAGES),
            mean,
            logvar,
            num_importance_samples=2,
            rng=np.random.default_rng(0),
        )
