"""Selectivity by hand, and both estimators of its mean against the sum over actions."""

import math

import pytest
import torch
from torch.nn import functional

from disent_runner.losses.controllability import (
    expected_score,
    is_still,
    is_unbounded,
    log_selectivity,
    log_share_of_mean,
    policy_entropy,
    reinforced_score,
    signed_selectivity,
    weighted_score,
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param([3.0, 1.0, 0.0], [3 / 4.0001, 1 / 4.0001, 0.0], id="two increase"),
        pytest.param([3.0, -1.0, 1.0], [3 / 4.0001, -1 / 4.0001, 1 / 4.0001], id="what decreases has a sign"),
        pytest.param([-0.5, -1.0, 0.0], [-5000.0, -10000.0, 0.0], id="nothing increases: no lower bound"),
        pytest.param([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], id="nothing moves"),
    ],
)
def test_shares_of_the_authors_have_a_sign(change, expected):
    torch.testing.assert_close(signed_selectivity(torch.tensor([change])), torch.tensor([expected]))


def test_how_often_there_is_no_lower_bound():
    change = torch.tensor([[-0.5, -1.0], [-1.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    assert is_unbounded(change).tolist() == [1, 0, 0, 1]
    assert is_still(change).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("change", "directed", "expected"),
    [
        pytest.param([3.0, -1.0], False, [3.001 / 4.002, 1.001 / 4.002], id="either way"),
        pytest.param([3.0, -1.0], True, [3.001 / 3.002, 0.001 / 3.002], id="only what increases"),
        pytest.param([-3.0, -1.0], True, [0.5, 0.5], id="nothing increases: the share of chance"),
        pytest.param([0.0, 0.0], False, [0.5, 0.5], id="nothing moves"),
    ],
)
def test_logarithms_of_clamped_shares(change, directed, expected):
    found = log_selectivity(torch.tensor([change]), directed=directed)
    torch.testing.assert_close(found.exp(), torch.tensor([expected]))


@pytest.mark.parametrize("directed", [False, True])
def test_clamped_shares_sum_to_one(directed):
    change = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(log_selectivity(change, directed=directed).exp().sum(1), torch.ones(50))


def test_what_stays_has_no_gradient():
    change = torch.zeros(1, 3, requires_grad=True)
    log_selectivity(change, directed=False).sum().backward()
    assert change.grad is not None
    assert change.grad.tolist() == [[0, 0, 0]]


def test_the_expected_score_is_the_sum_over_actions():
    policies = torch.tensor([[[0.25, 0.75], [1.0, 0.0]]])  # feature, action
    scores = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])  # action, feature
    torch.testing.assert_close(expected_score(policies, scores), torch.tensor([[0.25 + 2.25, 2.0]]))
    torch.testing.assert_close(weighted_score(policies, scores, torch.tensor([1])), torch.tensor([[2.25, 0.0]]))


def test_entropy_of_a_uniform_and_of_a_certain_policy():
    policies = torch.tensor([[[0.25] * 4, [1.0, 0.0, 0.0, 0.0]]])
    torch.testing.assert_close(policy_entropy(policies), torch.tensor([[math.log(4), 0.0]]))


NUM_FEATURES, NUM_ACTIONS = 3, 4


def table() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and changes of one state, as parameters."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(1, NUM_FEATURES, NUM_ACTIONS, generator=generator, requires_grad=True)
    change = torch.randn(1, NUM_ACTIONS, NUM_FEATURES, generator=generator, requires_grad=True)
    return logits, change


def gradient(score: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(score, parameters, retain_graph=True)])


def exact() -> torch.Tensor:
    logits, change = table()
    found = expected_score(logits.softmax(-1), log_selectivity(change, directed=False))
    return gradient(found.sum(), logits, change)


@pytest.mark.parametrize("baseline", [0.0, -1.5])
def test_reinforce_has_the_exact_gradient_in_the_mean(baseline):
    """By enumeration of every action of every feature, weighed by its probability: the same, whatever the baseline."""
    logits, change = table()
    policies, scores = logits.softmax(-1), log_selectivity(change, directed=False)
    total = torch.zeros(NUM_FEATURES)
    for action in range(NUM_ACTIONS):
        actions = torch.full((1, NUM_FEATURES), action)
        found = reinforced_score(policies, scores, actions, torch.full((NUM_FEATURES,), baseline))
        total = total + policies.detach()[0, :, action] * found[0]
    torch.testing.assert_close(gradient(total.sum(), logits, change), exact())


def test_estimators_agree_over_samples():
    logits, change = table()
    count = 2000
    policies = logits.softmax(-1).expand(count, -1, -1)
    scores = log_selectivity(change, directed=False).expand(count, -1, -1)
    torch.manual_seed(0)
    actions = torch.distributions.Categorical(policies.detach()).sample()
    baseline = torch.full((NUM_FEATURES,), float(scores.detach().mean()))
    reinforced = gradient(reinforced_score(policies, scores, actions, baseline).mean(0).sum(), logits, change)
    uniform = torch.randint(NUM_ACTIONS, (count,))
    weighted = gradient(weighted_score(policies, scores, uniform).mean(0).sum(), logits, change)
    for found in (reinforced, weighted):
        assert functional.cosine_similarity(found, exact(), dim=0) > 0.95


def test_a_factor_that_changes_as_all_do_is_worth_nothing():
    """log(1 + 1e-3); what stays while another moves has log 1e-3; twice the mean has log 2."""
    found = log_share_of_mean(torch.tensor([[0.5, -0.5], [1.0, 0.0], [0.0, 0.0]]))
    expected = torch.tensor([[1.001, 1.001], [2.001, 0.001], [0.001, 0.001]]).log()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
