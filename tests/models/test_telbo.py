"""TELBO's three bounds against torch.distributions, and which of them reaches which parameters."""

from dataclasses import replace

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from disent_runner.losses.likelihoods import LearnedGaussian
from disent_runner.models.abstract_concepts import symbols_in
from disent_runner.models.telbo import TELBO, unchanged

SETTINGS = {"alpha_x": 2.0, "alpha_y": 10.0, "alpha_y_alone": 3.0, "lambda_sparse": 5e-6, "unpaired": False}


@pytest.fixture
def taught(teach):
    return lambda **settings: teach(TELBO, **{**SETTINGS, **settings})


def normal(posterior: tuple[torch.Tensor, torch.Tensor]) -> Normal:
    return Normal(posterior[0], (posterior[1] / 2).exp())


def total(terms: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat(list(terms.values())).sum()


def gradients(model: TELBO, loss: torch.Tensor) -> dict[str, torch.Tensor | None]:
    names, values = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, values, allow_unused=True), strict=True))


def reached(model: TELBO, loss: torch.Tensor) -> set[str]:
    """The parts of the model with a gradient."""
    found = gradients(model, loss)
    return {name.partition(".")[0] for name, value in found.items() if value is not None and value.abs().max() > 0}


@pytest.mark.parametrize("unpaired", [False, True])
def test_the_loss_is_the_mean_of_three_bounds(unpaired, taught) -> None:
    model, batch = taught(unpaired=unpaired)
    images, symbols = batch().images, symbols_in(batch())
    torch.manual_seed(1)
    noise = [torch.randn(12, 3), torch.randn(24 if unpaired else 12, 3), torch.randn(12, 3)]
    everything = torch.cat([images, batch().second_images]) if unpaired else images
    mean, logvar = model.encoder(images, symbols)[0].chunk(2, dim=1)
    joint = normal((mean, logvar.clamp(-10, 10)))
    posteriors = joint, normal(model.encode(everything)), normal(model.encode_symbols(symbols))
    codes = [q.mean + q.stddev * e for q, e in zip(posteriors, noise, strict=True)]

    def pixels(z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return Bernoulli(logits=model.decoder(z), validate_args=False).log_prob(x).flatten(1).sum(1)

    def words(z: torch.Tensor) -> torch.Tensor:
        return Bernoulli(logits=model.symbol_decoder(z)).log_prob(symbols).sum(1)

    kls = [kl_divergence(q, Normal(0.0, 1.0)).sum(1) for q in posteriors]
    bounds = [
        (2 * pixels(codes[0], images) + 10 * words(codes[0]) - kls[0]).mean(),
        (2 * pixels(codes[1], everything) - kls[1]).mean(),
        (3 * words(codes[2]) - kls[2]).mean(),
    ]
    layers = [model.symbol_decoder.layers[0].weight, model.symbol_decoder.layers[2].weight]
    penalty = 5e-6 * torch.stack([layer.abs().sum() for layer in layers]).sum()
    torch.manual_seed(1)
    logged = model.update(batch())
    torch.testing.assert_close(logged["loss"], (penalty - torch.stack(bounds).mean()).detach())


def test_each_bound_reaches_what_it_trains(taught) -> None:
    model, batch = taught()
    images, symbols = batch().images, symbols_in(batch())
    joint = model.encoder(images, symbols)[0].chunk(2, dim=1)
    everything = total(model.joint_terms(tuple(joint), images, symbols))
    assert reached(model, everything) == {"encoder", "decoder", "symbol_decoder"}
    of_images = total(model.image_terms(model.encode(images), images))
    assert reached(model, of_images) == {"encoder"}
    of_symbols = total(model.symbol_terms(model.encode_symbols(symbols), symbols))
    assert reached(model, of_symbols) == {"expert_mean", "expert_logvar"}
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_sigma_that_is_learned_is_of_the_first_bound_too(taught) -> None:
    model, batch = taught(likelihood=LearnedGaussian())
    images = batch().images
    of_images = total(model.image_terms(model.encode(images), images))
    assert reached(model, of_images) == {"encoder"}


def test_gradients_pass_through_what_is_unchanged() -> None:
    layer, inputs = torch.nn.Linear(2, 1), torch.ones(1, 2, requires_grad=True)
    with unchanged(layer, "no module"):
        output = layer(inputs)
    (slope,) = torch.autograd.grad(output.sum(), inputs)
    torch.testing.assert_close(slope, layer.weight.detach())
    assert all(parameter.requires_grad for parameter in layer.parameters())


def test_the_unimodal_divergence_and_its_gradient_are_those_of_torch_distributions(taught) -> None:
    """By the log variances of q(z|x) and of the experts, which another implementation leaves out."""
    model, batch = taught()
    images, symbols = batch().images, symbols_in(batch())
    with torch.no_grad():
        model.expert_logvar.copy_(torch.randn(model.expert_logvar.shape) / 2)
        model.expert_mean.copy_(torch.randn(model.expert_mean.shape))
    for terms, posterior in (
        (model.image_terms(model.encode(images), images), model.encode(images)),
        (model.symbol_terms(model.encode_symbols(symbols), symbols), model.encode_symbols(symbols)),
    ):
        (found,) = (term for name, term in terms.items() if name.startswith("kl"))
        expected = kl_divergence(normal(posterior), Normal(0.0, 1.0)).sum(1)
        torch.testing.assert_close(found, expected)
        ours, theirs = gradients(model, found.sum()), gradients(model, expected.sum())
        assert [name for name, value in theirs.items() if value is not None]
        torch.testing.assert_close(ours, theirs)
    mean, logvar = (value.detach().requires_grad_() for value in model.encode(images))
    kl = model.image_terms((mean, logvar), images)["kl_images"].sum()
    (slope,) = torch.autograd.grad(kl, logvar)
    torch.testing.assert_close(slope, (logvar.exp() - 1).detach() / 2)  # of the variance and of the entropy


def test_experts_are_those_of_the_symbols_that_are_there(taught) -> None:
    model, _ = taught()
    with torch.no_grad():
        model.expert_mean.copy_(torch.arange(36.0).view(12, 3))
        model.expert_logvar.copy_(-torch.arange(1.0, 37.0).view(12, 3).log())
    symbols = torch.zeros(2, 12)
    symbols[0, [1, 4]] = 1
    mean, logvar = model.encode_symbols(symbols)
    precision = torch.tensor([4.0, 5, 6]) + torch.tensor([13.0, 14, 15])
    torch.testing.assert_close((-logvar[0]).exp(), 1 + precision)
    weighed = torch.tensor([4.0, 5, 6]) * torch.tensor([3.0, 4, 5]) + torch.tensor([13.0, 14, 15]) * torch.tensor(
        [12.0, 13, 14]
    )
    torch.testing.assert_close(mean[0], weighed / (1 + precision))
    assert not mean[1].any()
    assert not logvar[1].any()


def test_unpaired_images_are_of_the_bound_on_images_alone(taught, rooms) -> None:
    model, batch = taught(unpaired=True)
    terms = model.loss_terms(batch())
    assert {len(term) for name, term in terms.items() if name in ("images_alone", "kl_images")} == {24}
    assert {len(term) for name, term in terms.items() if name not in ("images_alone", "kl_images")} == {12}
    others = set(batch(5).source.draw(5, 1).rows.tolist())
    assert others - set(model.train_rows.flatten().tolist())
    assert replace(batch(), step=1).draw.symbols is not None
