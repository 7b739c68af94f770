import dataclasses
import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, MultiStepLR, ReduceLROnPlateau

from disent_runner.models.base import optimise, weighted_sum
from disent_runner.models.betavae import BetaVAE
from disent_runner.models.factorvae import FactorVAE
from disent_runner.models.vae import VAE
from disent_runner.networks.discriminator import MLPDiscriminator
from disent_runner.networks.initialization import torch_default


def test_a_weighted_sum_names_its_terms():
    terms = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert weighted_sum(terms, {"b": 10.0, "a": -1.0}).item() == 28.0
    with pytest.raises(ValueError, match=r"exactly the loss terms \['a', 'b'\], got \['a'\]"):
        weighted_sum(terms, {"a": 1.0})


def test_optimizers_have_names_in_the_order_of_checkpoints(make):
    model = make(VAE)
    optimizers = model.configure_optimizers()
    assert list(model.optimizer_of) == ["model"]
    assert optimizers[0] is model.optimizer_of["model"]


def test_an_optimiser_sends_no_gradient_into_parameters_of_others():
    encoder, decoder = nn.Linear(2, 2), nn.Linear(2, 1)
    optimise(torch.optim.SGD(encoder.parameters(), lr=1.0), decoder(encoder(torch.ones(1, 2))).sum())
    assert all(parameter.grad is None for parameter in decoder.parameters())
    assert all(parameter.grad is not None for parameter in encoder.parameters())


@pytest.mark.parametrize(("max_norm", "length"), [(None, 5.0), (1.0, 1.0), (5.5, 5.0)])
def test_a_gradient_that_is_too_long_is_scaled_all_players_apart(max_norm, length):
    first, second = (nn.Parameter(torch.zeros(())) for _ in range(2))
    optimise(torch.optim.SGD([first, second], lr=1.0), 3 * first + 4 * second, max_norm=max_norm)
    torch.testing.assert_close(torch.stack([first, second]).detach(), -torch.tensor([3.0, 4.0]) * length / 5)


def test_a_weight_in_its_warmup_is_on_a_line(make, batch):
    for step, weight in ((0, 0.0), (5, 2.0), (10, 4.0), (99, 4.0)):
        model = make(BetaVAE, beta=4.0, normalized=False, warmup={"kl": 10})
        logged = model.update(dataclasses.replace(batch, step=step))
        torch.testing.assert_close(logged["loss"], logged["reconstruction"] + weight * logged["kl"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"warmup": {"beta": 10}}, r"model\.warmup must name terms of the loss, kl; got beta"),
        ({"beta": "much"}, "the weight of the loss term kl must be a number, got 'much'"),
        ({"beta": math.nan, "warmup": {"kl": 10}}, "the weight of the loss term kl must be a number, got nan"),
    ],
)
def test_weights_are_checked_before_training(settings, message, make):
    with pytest.raises(ValueError, match=message):
        make(BetaVAE, **{"beta": 1.0, "normalized": False, **settings}).check_weights()


def test_a_warmup_of_null_is_none(make):
    assert make(VAE, warmup={"kl": None}).weights_at(0) == {"kl": 1.0}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"gradient_clip": 0}, "gradient_clip must be a positive number or null, got 0"),
        ({"gradient_clip": True}, "gradient_clip must be a positive number or null, got True"),
        ({"warmup": {"kl": "soon"}}, r"warmup\.kl must be a positive number or null, got 'soon'"),
        ({"warmup": 5}, r"warmup must be steps by the names of terms, such as 'model.warmup=\{kl: 1000\}', got 5"),
    ],
)
def test_knobs_are_positive_numbers(settings, named, make):
    with pytest.raises(ValueError, match=rf"model\.{named}"):
        make(VAE, **settings)


@pytest.mark.parametrize(
    ("scheduler", "settings", "message"),
    [
        (LinearLR, {"total_iters": -5}, r"schedule\.total_iters=-5: must be 0 or more"),
        (LinearLR, {"total_iters": "soon"}, "schedule cannot be followed with {'total_iters': 'soon'}: "),
        (CosineAnnealingLR, {"T_max": 0}, "schedule cannot be followed with {'T_max': 0}: "),
        (MultiStepLR, {"milestones": 5}, "schedule cannot be followed with {'milestones': 5}: "),
        (ReduceLROnPlateau, {"patience": 3}, "schedule cannot be followed with .*metrics"),
    ],
)
def test_schedules_that_nothing_can_follow_are_refused(scheduler, settings, message, make):
    with pytest.raises(ValueError, match=message):
        make(VAE, schedule=partial(scheduler, **settings))


def test_the_learning_rates_of_all_players_follow_the_schedule(make, batch):
    """Half a cosine over ten steps (Loshchilov & Hutter 2017, eq. 5)."""
    network = partial(MLPDiscriminator, width=4, depth=1, negative_slope=0.2, init=torch_default)
    other = {"discriminator": network, "discriminator_optimizer": partial(torch.optim.SGD, lr=2.0)}
    model = make(FactorVAE, gamma=1.0, schedule=partial(CosineAnnealingLR, T_max=10), **other)
    for step in range(4):
        rates = [optimizer.param_groups[0]["lr"] for optimizer in model.optimizer_of.values()]
        share = (1 + math.cos(math.pi * step / 10)) / 2
        assert rates == pytest.approx([0.1 * share, 2.0 * share])
        model.training_step([batch], 0)


def test_the_log_gets_the_mean_of_the_steps_and_one_number_per_latent(make):
    model = make(VAE)
    usual = {"reconstruction": torch.tensor(1.0), "kl_latent": torch.tensor([1.0, 2.0])}
    last = {"reconstruction": torch.tensor(5.0), "kl_latent": torch.tensor([5.0, 2.0]), "rare": torch.tensor(7.0)}
    model.interval = [usual] * 3 + [last]
    model.step = 4
    latents = {"kl_latent_0": 2.0, "kl_latent_1": 2.0}
    assert model.take_interval() == {"reconstruction": 2.0, "rare": 7.0, "kl": 4.0, "elbo": -6.0, **latents}
    assert model.interval == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_named_with_its_step(make, value):
    model = make(VAE)
    model.step = 108
    unit, spoilt = torch.tensor(1.0), torch.tensor(value)
    latents = torch.stack([unit, spoilt])
    good = {"loss": unit, "reconstruction": unit, "kl_latent": torch.ones(2)}
    bad = {"loss": spoilt, "reconstruction": unit, "kl_latent": latents}
    worse = {"loss": spoilt, "reconstruction": spoilt, "kl_latent": latents}
    model.interval = [good] * 5 + [bad] * 2 + [worse]  # steps 101 to 108
    with pytest.raises(FloatingPointError, match=rf"kl_latent became {value} at step 106; .* optimizer\.lr"):
        model.take_interval()


def test_a_requested_stop_comes_after_a_whole_step(make, batch):
    model = make(VAE)

    def chunk():
        yield batch
        model.stop_requested = True
        yield batch
        raise AssertionError("a step was begun after the request")

    model.training_step(chunk(), 0)
    assert model.step == 1
    assert len(model.interval) == 2


@pytest.mark.parametrize("latent_dim", [0, -1, 2.5, "ten"])
def test_the_number_of_latents_is_checked(make, dataset, latent_dim):
    with pytest.raises(ValueError, match=f"latent_dim must be a whole number of at least 1, got {latent_dim!r}"):
        VAE(info=dataset.info, latent_dim=latent_dim, encoder=None, decoder=None, likelihood=None, optimizer=None)  # pyright: ignore
