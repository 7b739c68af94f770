import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import norm

from disent_runner.assembly import build
from disent_runner.metrics import reconstruction as module
from disent_runner.metrics.reconstruction import reconstruction, signal_to_noise_ratio
from disent_runner.models.abstract_vae import AbstractVAE
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import NotApplicable

SHAPE = (2, 3, 4)  # channel, height, width
SIGMA = 0.3


def as_images(vectors):
    return vectors.reshape(-1, *SHAPE).astype(np.float32)


def representation(codes, autoencoder, logvar=None):
    return Representation(codes, np.empty((len(codes), 0), dtype=np.int64), (), logvar=logvar, autoencoder=autoencoder)


def linear_model(images, weights):
    """p(x|z) = N(W z, SIGMA² I)."""
    return Autoencoder(
        images=lambda rows: as_images(images[rows]),
        decode=lambda codes: as_images(codes @ weights.T),
        jacobian=lambda codes: np.broadcast_to(weights, (len(codes), *weights.shape)),
        prior=lambda count, rng: rng.standard_normal((count, weights.shape[1])),
        nll=lambda codes, rows: -norm.logpdf(images[rows], codes @ weights.T, SIGMA).sum(axis=1),
    )


@pytest.fixture
def rep(rng):
    codes, weights = rng.standard_normal((600, 3)), rng.standard_normal((24, 3))
    images = codes @ weights.T + SIGMA * rng.standard_normal((600, 24))
    return representation(codes, linear_model(images, weights), logvar=rng.uniform(-4, -1, size=(600, 3)))


def test_a_linear_gaussian_model_has_closed_forms(rep, rng):
    rows = np.arange(600)
    images, decoded = (
        part.reshape(600, 24) for part in (rep.autoencoder.images(rows), rep.autoencoder.decode(rep.codes))
    )
    squared = ((images - decoded) ** 2).mean(axis=1)
    nats = (24 * squared / (2 * SIGMA**2) + 24 * np.log(SIGMA * np.sqrt(2 * np.pi))).mean()
    scores = reconstruction(rep, rng=rng)
    sampled = scores.pop("reconstruction_sampled")
    assert scores == pytest.approx(
        {
            "reconstruction": nats,
            "reconstruction_bits_per_dim": nats / np.log(2) / 24,
            "reconstruction_mse": squared.mean(),
            "reconstruction_psnr": (-10 * np.log10(squared)).mean(),
        },
        rel=1e-5,
    )
    assert sampled > nats


def test_the_sampled_expectation_is_within_its_monte_carlo_error(rep):
    weights = rep.autoencoder.jacobian(rep.codes[:1])[0]
    spread = ((np.exp(rep.logvar) * (weights**2).sum(axis=0)).sum(axis=1) / (2 * SIGMA**2)).mean()
    runs = [reconstruction(rep, rng=np.random.default_rng(seed)) for seed in range(20)]
    excess = np.array([run["reconstruction_sampled"] - run["reconstruction"] for run in runs])
    assert excess.mean() == pytest.approx(spread, abs=4 * excess.std(ddof=1) / np.sqrt(20))


def test_a_coin_for_each_pixel_costs_one_bit(rng):
    coin = Autoencoder(
        images=lambda rows: as_images(np.ones((len(rows), 24))),
        decode=lambda codes: as_images(np.full((len(codes), 24), 0.5)),
        jacobian=lambda codes: np.zeros((len(codes), 24, 2)),
        prior=lambda count, rng: rng.standard_normal((count, 2)),
        nll=lambda codes, rows: np.full(len(codes), 24 * np.log(2), dtype=np.float32),
    )
    scores = reconstruction(representation(np.zeros((9, 2)), coin, logvar=np.zeros((9, 2))), rng=rng)
    bits = 24 * np.log(2)
    assert scores == pytest.approx(
        {
            "reconstruction": bits,
            "reconstruction_sampled": bits,
            "reconstruction_bits_per_dim": 1.0,
            "reconstruction_mse": 0.25,
            "reconstruction_psnr": 20 * np.log10(2),
        }
    )


def test_signal_to_noise_ratio_in_decibels():
    expected = [0.0, 20.0, 40.0, 100.0, 100.0]  # capped: rounding is not worth a ratio
    np.testing.assert_allclose(signal_to_noise_ratio(np.array([1.0, 1e-2, 1e-4, 1e-13, 0.0])), expected)


def test_an_exact_reconstruction_has_100_decibels(rng):
    codes = rng.uniform(size=(5, 24))
    exact = dataclasses.replace(linear_model(codes, np.eye(24)), nll=None)
    scores = reconstruction(representation(codes, exact), rng=rng)
    assert scores == {"reconstruction_mse": 0.0, "reconstruction_psnr": 100.0}


def test_ratios_are_averaged_not_errors(rng):
    """Errors 0.1 and 0.001 per pixel: 20 and 60 dB, where their mean square has 23 dB."""
    images = np.array([[0.1], [0.001]]) * np.ones(24)
    dark = dataclasses.replace(linear_model(images, np.zeros((24, 1))), nll=None)
    scores = reconstruction(representation(np.zeros((2, 1)), dark), rng=rng)
    assert scores["reconstruction_psnr"] == pytest.approx(40.0, abs=1e-4)
    assert scores["reconstruction_mse"] == pytest.approx((1e-2 + 1e-6) / 2, rel=1e-5)


def test_point_codes_have_no_posterior_to_sample(rep, rng):
    assert "reconstruction_sampled" not in reconstruction(dataclasses.replace(rep, logvar=None), rng=rng)


def test_chunks_leave_no_seam(rep, monkeypatch):
    first = reconstruction(rep, rng=np.random.default_rng(0))
    monkeypatch.setattr(module, "_IMAGES_AT_ONCE", 7)
    assert reconstruction(rep, rng=np.random.default_rng(0)) == pytest.approx(first, rel=1e-12)


def test_so_many_images_are_drawn_and_no_more(rep, rng):
    asked: list[int] = []

    def decode(codes):
        asked.append(len(codes))
        return rep.autoencoder.decode(codes)

    watched = dataclasses.replace(rep, autoencoder=dataclasses.replace(rep.autoencoder, decode=decode))
    few = reconstruction(watched, rng=rng, num_images=300)
    assert asked == [256, 44]
    # images keep their own codes: the error is that of the noise, chi-squared over 300 · 24 numbers
    assert few["reconstruction_mse"] == pytest.approx(SIGMA**2, rel=5 * np.sqrt(2 / (300 * 24)))


def test_a_model_s_own_numbers(composed, tmp_path, rng):
    config = composed("model=betavae")
    data = build.build_data(config).dataset
    model = build.build_model(config, data.info)
    assert isinstance(model, AbstractVAE)
    rep = encode_once(model, data, folder=tmp_path, indices=np.arange(40), batch_size=16).representation
    scores = reconstruction(rep, rng=rng)
    images, codes = data.gather(torch.arange(40)), torch.from_numpy(rep.codes)
    with torch.no_grad():
        nats, decoded = model.nll(codes, images).mean().item(), model.decode(codes)
    assert scores["reconstruction"] == pytest.approx(nats, rel=1e-5)
    assert scores["reconstruction_bits_per_dim"] == pytest.approx(nats / 4096 / np.log(2), rel=1e-5)
    assert scores["reconstruction_mse"] == pytest.approx((decoded - images).square().mean().item(), rel=1e-5)


def test_codes_alone_are_skipped(rng):
    with pytest.raises(NotApplicable, match="reconstruction needs the model's decoder and images"):
        reconstruction(representation(np.zeros((4, 2)), None), rng=rng)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        pytest.param({}, {"num_images": 0}, "reconstruction needs num_images >= 1, got 0", id="no images"),
        pytest.param(
            {"decode": lambda codes: np.full((len(codes), *SHAPE), np.nan)},
            {},
            r"got \(256, 2, 3, 4\) with 6144 values that are NaN",
            id="decoded NaN",
        ),
        pytest.param(
            {"decode": lambda codes: np.zeros((len(codes), 1, 3, 4))},
            {},
            r"images of shape \(256, 2, 3, 4\), got \(256, 1, 3, 4\)",
            id="one channel for two",
        ),
        pytest.param(
            {"nll": lambda codes, rows: np.where(rows == 3, np.inf, 0.0)},
            {},
            r"reconstruction needs a finite -log p\(x\|z\), got 1 of 600",
            id="impossible image",
        ),
    ],
)
def test_errors_say_what_was_wrong(rep, rng, change, settings, message):
    broken = dataclasses.replace(rep, autoencoder=dataclasses.replace(rep.autoencoder, **change))
    with pytest.raises(ValueError, match=message):
        reconstruction(broken, rng=rng, **settings)
