import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional

from disent_runner.losses.density_ratio import (
    discriminator_accuracy,
    discriminator_loss,
    permute_codes,
    total_correlation_from_logits,
)

CORRELATION = 0.8


def test_class_zero_is_the_joint_and_the_ratio_is_positive_where_it_is_likelier():
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]))
    expected = torch.log(torch.tensor([9.0, 1.0, 0.25]))
    torch.testing.assert_close(total_correlation_from_logits(logits), expected)


@pytest.mark.parametrize("seed", range(3))
def test_the_best_discriminator_measures_the_total_correlation_of_a_normal(seed):
    """Bivariate normal: TC = -log(1 - ρ²)/2. Margin: five standard errors of 20,000 samples."""
    generator = torch.Generator().manual_seed(seed)
    covariance = torch.tensor([[1, CORRELATION], [CORRELATION, 1]])
    joint = torch.distributions.MultivariateNormal(torch.zeros(2), covariance)
    marginals = torch.distributions.Normal(0.0, 1.0)
    noise = torch.randn(20_000, 2, generator=generator)
    codes = noise @ torch.linalg.cholesky(covariance).T
    logits = torch.stack([joint.log_prob(codes), marginals.log_prob(codes).sum(dim=1)], dim=1)
    ratio = total_correlation_from_logits(logits)
    error = ratio.std() / math.sqrt(20_000)
    assert abs(ratio.mean() + 0.5 * math.log(1 - CORRELATION**2)) < 5 * error


def test_loss_is_half_of_each_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    joint, permuted = 5 * torch.randn(2, 9, 2, generator=generator)
    zeros, ones = torch.zeros(9, dtype=torch.long), torch.ones(9, dtype=torch.long)
    expected = 0.5 * functional.cross_entropy(joint, zeros, reduction="none")
    expected += 0.5 * functional.cross_entropy(permuted, ones, reduction="none")
    torch.testing.assert_close(discriminator_loss(joint, permuted), expected)


def test_loss_at_chance_and_at_both_ends():
    undecided, joint, permuted = (torch.tensor([row]) for row in ([2.0, 2.0], [90.0, -90.0], [-90.0, 90.0]))
    assert discriminator_loss(undecided, undecided).item() == pytest.approx(math.log(2))
    assert discriminator_loss(joint, permuted).item() == pytest.approx(0)
    assert discriminator_loss(permuted, joint).item() == pytest.approx(180)


def test_loss_gradients():
    logits = torch.linspace(-3, 4, 16, dtype=torch.float64).view(2, 4, 2).requires_grad_()
    assert gradcheck(lambda both: discriminator_loss(both[0], both[1]), logits)


def test_a_step_on_the_loss_raises_the_ratio_of_joint_codes_and_lowers_that_of_permuted_ones():
    joint, permuted = torch.zeros(1, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    discriminator_loss(joint, permuted).sum().backward()
    assert joint.grad is not None
    assert permuted.grad is not None
    assert total_correlation_from_logits(-joint.grad).item() > 0
    assert total_correlation_from_logits(-permuted.grad).item() < 0


def test_accuracy_of_each_pair():
    joint = torch.tensor([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0], [1.0, 2.0], [0.0, 0.0]])
    permuted = torch.tensor([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [2.0, 1.0], [0.0, 0.0]])
    assert discriminator_accuracy(joint, permuted).tolist() == [1.0, 0.5, 0.5, 0.0, 0.5]


def test_permuted_codes_keep_every_marginal_and_lose_the_rows():
    codes = torch.arange(50.0)[:, None] + 100 * torch.arange(4.0)
    permuted = permute_codes(codes, torch.Generator().manual_seed(0))
    torch.testing.assert_close(permuted.sort(dim=0).values, codes)
    rows = permuted - 100 * torch.arange(4.0)
    assert (rows == rows[:, :1]).all(dim=1).sum() <= 2, "the latents were permuted together"


def test_permutations_are_uniform():
    """All six orders of three codes, 6,000 times; margin five standard deviations of a count."""
    codes = torch.arange(3.0)[:, None].expand(3, 6_000)
    permuted = permute_codes(codes, torch.Generator().manual_seed(0))
    _, counts = (permuted * torch.tensor([[9.0], [3.0], [1.0]])).sum(dim=0).unique(return_counts=True)
    assert len(counts) == 6
    assert (counts - 1_000).abs().max() < 5 * math.sqrt(6_000 * (1 / 6) * (5 / 6))


def test_permutation_breaks_the_dependence():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(20_000, 1, generator=generator)
    permuted = permute_codes(noise.expand(-1, 2), generator)
    assert torch.corrcoef(permuted.T)[0, 1].abs() < 5 / math.sqrt(20_000)


def test_randomness_comes_from_the_generator_given_or_from_torch():
    codes = torch.randn(30, 5)
    first = permute_codes(codes, torch.Generator().manual_seed(4))
    torch.testing.assert_close(permute_codes(codes, torch.Generator().manual_seed(4)), first, rtol=0, atol=0)
    torch.manual_seed(4)
    torch.testing.assert_close(permute_codes(codes), first, rtol=0, atol=0)


def test_a_batch_of_one_stays_as_it_is():
    codes = torch.randn(1, 3)
    torch.testing.assert_close(permute_codes(codes), codes)
