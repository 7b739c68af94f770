"""Tripod: its latents, its terms from the functions of losses, what they move, what it refuses."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.func import jacfwd

from disent_runner.losses.likelihoods import Bernoulli
from disent_runner.models.tripod import Tripod
from disent_runner.networks.hidden_layers import hidden_layers
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder

SETTINGS = {"latent_dim": 3, "encoder": TinyEncoder, "decoder": TinyDecoder, "likelihood": Bernoulli()}
SETTINGS |= {"num_values": 5, "lambda_multiinformation": 1e-4, "lambda_hessian": 1e-2}
SETTINGS |= {"num_directions": 2, "epsilon": 0.1}


@pytest.fixture
def tripod(dataset):
    def build(lr: float = 1e-2, **settings) -> Tripod:
        torch.manual_seed(0)
        model = Tripod(info=dataset.info, optimizer=partial(torch.optim.Adam, lr=lr), **{**SETTINGS, **settings})
        model.configure_optimizers()
        return model

    return build


def test_latents_are_rounded_between_minus_and_plus_one(tripod, batch) -> None:
    """The formula of finite scalar quantization, 2 round((v - 1) (tanh + 1) / 2) / (v - 1) - 1."""
    model = tripod(num_values=12)
    with torch.no_grad():
        model.encoder.head[-1].weight.mul_(5)
    bounded = model.encoder(batch.images).detach().tanh()
    codes, logvar = model.encode(batch.images)
    assert logvar is None
    torch.testing.assert_close(codes, 2 * (11 * (bounded + 1) / 2).round() / 11 - 1)
    assert len(codes.unique()) > 4
    assert "values" not in dict(model.named_parameters())  # fixed


def test_multiinformation_is_of_the_quantized_latents(tripod, batch) -> None:
    """Written out, with the bandwidths of the authors' code."""
    model = tripod()
    continuous, codes = model.continuous(batch.images).detach().double(), model.encode(batch.images)[0].double()
    sigma = continuous.std(0, correction=0)
    factor = (4 / (3 + 2)) ** (1 / (3 + 4)) * 12 ** (-1 / (3 + 4))
    joint, marginal = (
        torch.distributions.Normal(codes, s).log_prob(codes[:, None]).exp() for s in (factor * sigma, sigma)
    )
    expected = joint.prod(2).mean(1).log() - marginal.mean(1).log().sum(1)
    logged = model.update(batch)
    torch.testing.assert_close(logged["multiinformation"].double(), expected.mean(), rtol=1e-4, atol=1e-5)
    assert model.weights() == {"multiinformation": 1e-4, "hessian": 1e-2}


@pytest.mark.parametrize("term", ["multiinformation", "hessian"])
def test_each_term_goes_down_where_it_weighs_all(term, tripod, batch) -> None:
    model = tripod(lr=1e-2, **{f"lambda_{term}": 1e4})
    values = []
    for _ in range(20):
        torch.manual_seed(0)  # the same directions
        values.append(model.update(batch)[term].item())
    assert values[-1] < 0.9 * values[0]


def test_the_penalty_is_a_share_for_each_hidden_layer(tripod, batch) -> None:
    """Three layers, whose Hessians by autograd at the codes give the same but for the draws and the steps' length."""
    model = tripod(num_directions=400, epsilon=0.02)
    codes, sigma = model.encode(batch.images)[0], model.continuous(batch.images).detach().std(0, correction=0)
    model.double().eval()
    expected = 0.0
    for layer in range(3):
        shares = []
        for code in codes.double():
            hessians = jacfwd(jacfwd(lambda z, layer=layer: hidden_layers(model.decoder, z[None])[layer].flatten()))(
                code
            )
            scaled = (hessians * sigma[:, None] * sigma).square()
            shares.append(1 - scaled.diagonal(dim1=1, dim2=2).sum() / scaled.sum())
        expected += torch.stack(shares).mean().item()
    model.float().train()
    assert model.update(batch)["hessian"].item() == pytest.approx(expected, rel=0.05)


def test_it_learns_the_images(tripod, batch) -> None:
    model = tripod()
    losses = [model.update(replace(batch, step=step))["reconstruction"] for step in range(60)]
    assert losses[-1] < losses[0] / 2


def test_equal_latents_have_a_gradient(tripod, batch) -> None:
    model = tripod()
    with torch.no_grad():
        model.encoder.head[-1].weight.zero_()
    logged = [model.update(replace(batch, step=step)) for step in range(2)]
    assert all(value.isfinite() for values in logged for value in values.values())
    assert all(value.isfinite().all() for value in model.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_values": 1}, "model.num_values must be a whole number of at least 2, got 1"),
        ({"num_directions": 1}, "model.num_directions must be a whole number of at least 2, got 1"),
        ({"epsilon": 0}, "model.epsilon must be a positive number, got 0"),
        ({"decoder": lambda **_: nn.Linear(3, 2)}, "model=tripod needs a decoder whose activations are layers"),
    ],
)
def test_other_settings_are_refused(settings, message, tripod) -> None:
    with pytest.raises(ValueError, match=message):
        tripod(**settings)
