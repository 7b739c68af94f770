"""FactorVAE's two players, against the algorithm written out plainly."""

import pytest
import torch
from torch.nn import functional

from disent_runner.models.factorvae import FactorVAE
from disent_runner.networks.discriminator import MLPDiscriminator
from tests.models.conftest import LEARNING_RATE

GAMMA = 6.0


@pytest.fixture
def model(make):
    return make(
        FactorVAE,
        gamma=GAMMA,
        discriminator=lambda num_inputs: MLPDiscriminator(num_inputs=num_inputs, width=20, depth=2),
        discriminator_optimizer=lambda parameters: torch.optim.SGD(parameters, lr=LEARNING_RATE),
    )


def test_the_vae_step_is_the_gradient_of_its_own_loss(model, batch):
    vae = [*model.encoder.parameters(), *model.decoder.parameters()]
    before = [parameter.detach().clone() for parameter in vae]
    torch.manual_seed(1)
    inference = model.infer(batch)
    logits = model.discriminator(inference.codes)
    log_ratio = functional.log_softmax(logits, 1)[:, 0] - functional.log_softmax(logits, 1)[:, 1]  # log D / (1 - D)
    pixels = (
        functional.binary_cross_entropy_with_logits(inference.logits, batch.images, reduction="none").flatten(1).sum(1)
    )
    gradient = torch.autograd.grad((pixels + inference.kl.sum(1) + GAMMA * log_ratio).mean(), vae)
    torch.manual_seed(1)
    model.update(batch)
    for parameter, old, slope in zip(vae, before, gradient, strict=True):
        torch.testing.assert_close(parameter.detach(), old - LEARNING_RATE * slope)


def test_the_discriminator_step_is_the_gradient_of_its_own_loss_and_moves_nothing_else(model, batch):
    discriminator = list(model.discriminator.parameters())
    inference = model.infer(batch)
    untouched = [parameter.detach().clone() for parameter in [*model.encoder.parameters(), *model.decoder.parameters()]]
    before = [parameter.detach().clone() for parameter in discriminator]
    torch.manual_seed(2)
    mean, logvar = model.encode(batch.second_images)
    second = (mean + (logvar / 2).exp() * torch.randn_like(mean)).detach()
    permuted = torch.stack([second[torch.rand_like(second).argsort(0)[:, d], d] for d in range(3)], 1)
    joint_is_zero = functional.cross_entropy(
        model.discriminator(inference.codes.detach()), torch.zeros(12, dtype=torch.long)
    )
    permuted_is_one = functional.cross_entropy(model.discriminator(permuted), torch.ones(12, dtype=torch.long))
    torch.manual_seed(2)
    model.encode(batch.second_images)
    logged = model.adversary_step(inference, batch)
    assert all(parameter.grad is None for parameter in [*model.encoder.parameters(), *model.decoder.parameters()])
    now = [*model.encoder.parameters(), *model.decoder.parameters()]
    assert all(map(torch.equal, untouched, now))
    assert not any(map(torch.equal, before, discriminator))
    assert logged["discriminator_loss"].item() == pytest.approx(
        (joint_is_zero + permuted_is_one).item() / 2, rel=0.05
    )  # the permutations differ, the codes do not


def test_the_second_batch_is_another_batch(model, batch):
    assert not torch.equal(batch.images, batch.second_images)


def test_the_discriminator_learns_which_codes_are_permuted(model, batch):
    """Codes on a diagonal: their joint is far from the product of its marginals."""
    inference = model.infer(batch)
    line = torch.linspace(-2, 2, 12)[:, None].expand(12, 3).clone()
    model.optimizer_of["discriminator"] = torch.optim.Adam(model.discriminator.parameters(), lr=1e-2)
    model.encode = lambda images: (line, torch.full_like(line, -10.0))
    for _ in range(200):
        model.adversary_step(inference._replace(codes=line), batch)
    assert model.adversary_step(inference._replace(codes=line), batch)["discriminator_accuracy"] > 0.85
    terms = model.regularizers(inference._replace(codes=line), batch)
    assert terms["objective_total_correlation"].mean() > 0.5


def test_one_update_is_one_step_of_each_player(model, batch):
    class Counting(torch.optim.SGD):
        steps = 0

        def step(self, closure=None):
            self.steps += 1
            return super().step(closure)

    assert model.weights() == {"kl": 1.0, "objective_total_correlation": GAMMA}
    model.beta = 3.0
    assert model.weights() == {"kl": 3.0, "objective_total_correlation": GAMMA}
