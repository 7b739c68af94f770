"""What auto-encoders with quantized latents share, by QLAE: codes, samples, the loss, what decays."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from disent_runner.losses.likelihoods import Bernoulli, LearnedGaussian
from disent_runner.models.qlae import QLAE
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder

SETTINGS = {"latent_dim": 3, "encoder": TinyEncoder, "decoder": TinyDecoder, "likelihood": Bernoulli()}
SETTINGS |= {"num_values": 4, "lambda_quantization": 0.01, "lambda_commitment": 0.01}


@pytest.fixture
def model(dataset):
    def build(optimizer=torch.optim.SGD, lr: float = 0.1, decay: float = 0.0, **settings) -> QLAE:
        torch.manual_seed(0)
        factory = partial(optimizer, lr=lr, weight_decay=decay)
        model = QLAE(info=dataset.info, optimizer=factory, **{**SETTINGS, **settings})
        model.configure_optimizers()
        return model

    return build


def test_codes_are_points_on_the_grid(model, batch) -> None:
    quantized = model()
    codes, logvar = quantized.encode(batch.images)
    assert logvar is None
    for latent in range(3):
        assert set(codes[:, latent].tolist()) <= set(quantized.values[latent].tolist())  # to the last bit


def test_samples_are_uniform_on_the_grid(model) -> None:
    quantized = model()
    with torch.no_grad():
        quantized.values.copy_(torch.arange(12.0).view(3, 4))
    codes = quantized.sample_codes(4000, np.random.default_rng(0))
    assert codes.dtype == np.float32
    values, counts = np.unique(codes, return_counts=True)
    assert values.tolist() == list(range(12))
    assert np.abs(counts - 1000).max() < 5 * (4000 * 0.25 * 0.75) ** 0.5
    for latent in range(3):
        assert set(codes[:, latent]) == set(range(4 * latent, 4 * latent + 4))


def test_the_reconstruction_is_the_mean_over_pixels(model, batch) -> None:
    quantized = model()
    images = batch.images
    codes, _ = quantized.encode(images)
    with torch.no_grad():
        expected = binary_cross_entropy_with_logits(quantized.decoder(codes), images)
        summed = quantized.nll(codes, images).mean()
    logged = quantized.update(batch)
    torch.testing.assert_close(logged["reconstruction"], expected)
    torch.testing.assert_close(summed, 256 * expected)
    weighted = logged["reconstruction"] + 0.01 * logged["quantization"] + 0.01 * logged["commitment"]
    torch.testing.assert_close(logged["loss"], weighted)


def test_a_step_follows_the_gradient_through_the_quantization(model, batch) -> None:
    """The encoder's step is that of the decoder's gradient by the codes, taken as one by its outputs."""
    quantized = model(lambda_quantization=0.0, lambda_commitment=0.0)
    images = batch.images
    codes = quantized.encode(images)[0].detach().requires_grad_()
    (by_codes,) = torch.autograd.grad(quantized.nll(codes, images).mean() / 256, codes)
    bias = quantized.encoder.head[-1].bias
    before = bias.detach().clone()
    quantized.update(batch)
    torch.testing.assert_close(before - bias.detach(), 0.1 * by_codes.sum(0))


def test_weights_alone_decay(model, batch) -> None:
    """With a step too small to follow a gradient, decoupled decay is all that changes: w (1 - lr · decay)."""
    quantized = model(optimizer=torch.optim.AdamW, lr=1e-4, decay=5000.0)
    before = {name: value.detach().clone() for name, value in quantized.named_parameters()}
    quantized.update(batch)
    for name, value in quantized.named_parameters():
        expected = before[name] * (0.5 if name.endswith("weight") else 1.0)
        torch.testing.assert_close(value.detach(), expected, rtol=0.0, atol=1.1e-4)
    groups = quantized.optimizer_of["model"].param_groups
    assert [group["weight_decay"] for group in groups] == [5000.0, 0.0]
    assert sum(len(group["params"]) for group in groups) == len(before)


def test_a_sigma_is_learned_without_decay(model, batch) -> None:
    quantized = model(likelihood=LearnedGaussian())
    before = quantized.likelihood.log_sigma.detach().clone()
    quantized.update(batch)
    assert quantized.likelihood.log_sigma != before
