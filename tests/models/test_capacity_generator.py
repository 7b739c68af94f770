from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.losses.likelihoods import Bernoulli
from disent_runner.models.capacity_generator import CapacityGenerator
from disent_runner.networks.tiny import TinyDecoder

SMALL: dict[str, Any] = {
    "gamma": 10.0,
    "capacity": 4.0,
    "capacity_start": 0.5,
    "capacity_steps": 100,
    "circular": [],
    "one_hot": [],
    "posterior_lr": None,
    "decoder": TinyDecoder,
    "likelihood": Bernoulli(),
    "optimizer": partial(torch.optim.Adam, lr=0.01),
}


@pytest.fixture
def build(dataset):
    def make(**settings: Any) -> CapacityGenerator:
        torch.manual_seed(0)
        model = CapacityGenerator(info=dataset.info, **{**SMALL, **settings})
        model.configure_optimizers()
        return model

    return make


def all_factors(dataset) -> torch.Tensor:
    return torch.from_numpy(dataset.space.factors(np.arange(64)))


@pytest.mark.parametrize("settings", [{}, {"circular": ["row"]}, {"one_hot": ["column"]}])
def test_factors_are_standardised(settings, build, dataset) -> None:
    model = build(**settings)
    model.scale.data.fill_(1.0)
    mean, logvar = model.posterior(all_factors(dataset))
    np.testing.assert_allclose(mean.detach().mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(mean.detach().square().mean(0), 1, rtol=1e-5)
    assert (logvar == 0).all()


def test_values_of_each_coding(build, dataset) -> None:
    model = build(circular=["row"], one_hot=["column"])
    assert (model.widths, model.latent_dim) == ([2, 8], 10)
    mean = model.posterior(all_factors(dataset))[0].detach() / 0.1
    angle = 2 * np.pi * np.arange(8) / 8
    np.testing.assert_allclose(mean[::8, :2], np.stack([np.cos(angle), np.sin(angle)], 1) * 2**0.5, atol=1e-5)
    assert (mean[:8, 2:].argmax(1) == torch.arange(8)).all()


def test_kl_and_loss_are_those_of_distributions(build, batch, dataset) -> None:
    model = build()
    model.scale.data.copy_(torch.tensor([0.7, 1.3]))
    model.shift.data.copy_(torch.tensor([0.2, -0.1]))
    model.log_sigma.data.copy_(torch.tensor([-1.0, 0.3]))
    factors = torch.from_numpy(dataset.space.factors(batch.draw.rows.numpy()))
    mean, logvar = model.posterior(factors)
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).mean(0)
    logged = model.update(batch)
    torch.testing.assert_close(torch.stack([logged["kl_row"], logged["kl_column"]]), expected.detach())
    gap = abs(expected.sum().item() - 0.5)
    assert logged["loss"].item() == pytest.approx(logged["reconstruction"].item() + 10.0 * gap, rel=1e-5)
    derived = model.derived(logged)
    assert derived["kl"].item() == pytest.approx(expected.sum().item(), rel=1e-5)
    assert derived["kl_gap"].item() == pytest.approx(expected.sum().item() - 0.5, rel=1e-5)


def test_the_capacity_rises_linearly(build) -> None:
    model = build()
    assert [model.capacity_at(step) for step in (0, 50, 100, 500)] == pytest.approx([0.5, 2.25, 4.0, 4.0])


@pytest.mark.slow
def test_the_total_follows_the_capacity(build, batch) -> None:
    """Within half a nat once training is under way."""
    model = build(gamma=1000.0, capacity_steps=400, optimizer=partial(torch.optim.Adam, lr=0.02))
    for step in range(400):
        logged = model.update(replace(batch, step=step))
        total = (logged["kl_row"] + logged["kl_column"]).item()
        assert step < 100 or abs(total - model.capacity_at(step)) < 0.5, step


def test_rows_are_encoded_by_their_factors_and_decoded(build, dataset) -> None:
    model = build()
    mean, logvar = model.represent(dataset, torch.tensor([3, 60]))
    expected = model.posterior(all_factors(dataset)[[3, 60]])
    torch.testing.assert_close((mean, logvar), expected)
    assert model.decode(mean).shape == (2, 1, 16, 16)
    with pytest.raises(ValueError, match="encodes the factors"):
        model.encode(dataset.gather(torch.arange(2)))


@pytest.mark.parametrize(
    "settings", [{"circular": ["hue"]}, {"circular": ["row"], "one_hot": ["row"]}], ids=["unknown", "both"]
)
def test_wrong_codings(settings, build) -> None:
    with pytest.raises(ValueError, match="must name different ones of the factors row, column; got"):
        build(**settings)


def test_data_without_factors(dataset) -> None:
    with pytest.raises(ValueError, match="of the data set, which has none"):
        CapacityGenerator(info=replace(dataset.info, factors={}), **SMALL)


def test_scales_shifts_and_noise_learn_at_their_own_rate(build) -> None:
    for rate, expected in ((0.3, [0.01, 0.3]), (None, [0.01, 0.01])):
        model = build(posterior_lr=rate)
        groups = model.optimizer_of["model"].param_groups
        assert [group["lr"] for group in groups] == expected
        assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
