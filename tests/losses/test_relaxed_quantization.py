"""Relaxed choices against torch.distributions, and the entropies that they are made from."""

import math

import torch
from torch.distributions import Categorical, RelaxedOneHotCategorical
from torch.distributions.kl import kl_divergence

from disent_runner.losses.relaxed_quantization import (
    gumbel_like,
    kl_to_uniform,
    minus_squared_distances,
    permute_choices,
    relaxed_choices,
)

LOGITS = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))


def test_logits_are_minus_squared_distances() -> None:
    continuous, values = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.0, 1.0, 2.0], [-1.0, 0.0, 3.0]])
    found = minus_squared_distances(continuous, values)
    torch.testing.assert_close(found, -torch.tensor([[[0.25, 0.25, 2.25], [0.0, 1.0, 16.0]]]))


def test_the_kl_is_that_of_distributions() -> None:
    expected = kl_divergence(Categorical(logits=LOGITS), Categorical(logits=torch.zeros(5, 3, 4)))
    torch.testing.assert_close(kl_to_uniform(LOGITS), expected)
    torch.testing.assert_close(kl_to_uniform(torch.tensor([[[200.0, 0, 0]]])), torch.tensor([[math.log(3)]]))
    torch.testing.assert_close(kl_to_uniform(torch.ones(1, 1, 7)), torch.zeros(1, 1), atol=1e-6, rtol=0)


def test_choices_are_distributed_as_torchs() -> None:
    logits = torch.tensor([0.5, -1.0, 1.5]).expand(20_000, 1, 3)
    torch.manual_seed(0)
    found = relaxed_choices(logits, gumbel_like(logits), temperature=0.7)
    expected = RelaxedOneHotCategorical(torch.tensor(0.7), logits=logits).sample()
    assert expected is not None
    torch.testing.assert_close(found.sum(2), torch.ones(20_000, 1))
    torch.testing.assert_close(found.mean(0), expected.mean(0), atol=0.01, rtol=0)
    torch.testing.assert_close(found.var(0), expected.var(0), atol=0.01, rtol=0)
    wins = torch.nn.functional.one_hot(found.argmax(2), 3).float().mean(0)
    torch.testing.assert_close(wins[0], logits[0, 0].softmax(0), atol=0.015, rtol=0)


def test_without_noise_a_cold_choice_is_the_nearest() -> None:
    cold = relaxed_choices(LOGITS, torch.zeros_like(LOGITS), temperature=1e-3)
    assert torch.equal(cold.round(), torch.nn.functional.one_hot(LOGITS.argmax(2), 4).float())


def test_latents_are_permuted_whole_and_on_their_own() -> None:
    choices = torch.arange(100)[:, None, None] + 1000.0 * torch.arange(3)[:, None] + torch.tensor([0.0, 0.25])
    permuted = permute_choices(choices, torch.Generator().manual_seed(0))
    torch.testing.assert_close(permuted[..., 1] - permuted[..., 0], torch.full((100, 3), 0.25))
    torch.testing.assert_close(permuted.sort(0).values, choices)
    rows = permuted[..., 0] % 1000
    assert not torch.equal(rows[:, 0], rows[:, 1])
    assert not torch.equal(rows[:, 0], torch.arange(100.0))
