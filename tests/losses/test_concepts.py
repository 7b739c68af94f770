"""Losses of images and symbols, against torch.distributions, closed forms and densities on a grid."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from disent_runner.losses.concepts import (
    GROUNDINGS,
    joint_kl_terms,
    product_of_experts,
    specificity,
    symbol_nll,
)
from disent_runner.losses.gaussian import kl_to_standard_normal


def normal(posterior: tuple[torch.Tensor, torch.Tensor]) -> Normal:
    return Normal(posterior[0], (posterior[1] / 2).exp())


@pytest.fixture
def posteriors() -> torch.Tensor:
    """Three of seven examples and four latents."""
    return torch.randn(3, 2, 7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_groundings(posteriors) -> None:
    images, concepts = map(tuple, posteriors[:2])
    forward = kl_divergence(normal(images), normal(concepts)).sum(1)
    torch.testing.assert_close(GROUNDINGS["forward"](images, concepts), forward)
    reverse = kl_divergence(normal(concepts), normal(images)).sum(1)
    torch.testing.assert_close(GROUNDINGS["reverse"](images, concepts), reverse)


def test_joint_terms(posteriors) -> None:
    both, images, symbols = map(tuple, posteriors)
    terms = joint_kl_terms(both, images, symbols)
    torch.testing.assert_close(terms["kl_to_images"], kl_divergence(normal(both), normal(images)).sum(1))
    torch.testing.assert_close(terms["kl_to_symbols"], kl_divergence(normal(both), normal(symbols)).sum(1))


def test_symbols_are_independent_coins() -> None:
    logits = 3 * torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    symbols = (torch.arange(30).view(5, 6) % 3 == 0).float()
    expected = -Bernoulli(logits=logits).log_prob(symbols).sum(1)
    torch.testing.assert_close(symbol_nll(logits, symbols), expected)


def test_the_product_of_experts_is_the_normalised_product_of_their_densities(posteriors) -> None:
    mean, logvar = posteriors[0]
    symbols = torch.tensor([[1, 0, 0, 1, 1, 0, 0], [0, 1, 0, 0, 0, 0, 0]], dtype=torch.float64)
    product = product_of_experts(symbols, mean, logvar)
    x = torch.linspace(-12, 12, 6001, dtype=torch.float64)[:, None, None]
    experts = Normal(mean, (logvar / 2).exp()).log_prob(x)  # (x, symbol, latent)
    log_density = Normal(0.0, 1.0).log_prob(x) + torch.einsum("bs,xsl->xbl", symbols, experts)
    density = (log_density - torch.logsumexp(log_density, 0)).exp() / (24 / 6000)
    torch.testing.assert_close(normal(product).log_prob(x).exp(), density, atol=1e-6, rtol=1e-5)


def test_precisions_of_experts_add_up_exactly_and_none_is_the_prior() -> None:
    logvar = -torch.tensor([[0.5, 1.0], [2.0, 0.25], [4.0, 8.0]]).log()  # precisions of sums without rounding
    mean = torch.ones(3, 2)
    symbols = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    means, logvars = product_of_experts(symbols, mean, logvar)
    torch.testing.assert_close((-logvars[0]).exp(), torch.tensor([7.5, 10.25]))
    torch.testing.assert_close(means[0], torch.tensor([6.5 / 7.5, 9.25 / 10.25]))
    assert means[1].tolist() == [0, 0]
    assert logvars[1].tolist() == [0, 0]


def test_specificity_is_how_much_narrower_than_the_prior() -> None:
    logvar = 2 * torch.tensor([[0.25, 1.0, 3.0]]).log()
    torch.testing.assert_close(specificity(logvar), torch.tensor([[0.75, 0.0, 0.0]]))


MEANS = torch.tensor([0.3, 0.5, 0.7, 1.1], dtype=torch.float64)
AGREEING = (MEANS, torch.tensor([0.01, 0.02, 0.01, 0.03], dtype=torch.float64))
DIFFERING = (3 * MEANS - 2, torch.tensor([0.05, 0.4, 0.1, 0.2], dtype=torch.float64))


@pytest.mark.parametrize("images", [AGREEING, DIFFERING], ids=["agreeing", "differing"])
@pytest.mark.parametrize(("beta", "weight"), [(0.0, 1.0), (1.0, 10.0), (1.0, 1.0), (2.0, 5.0)])
def test_concepts_that_are_learned_reach_the_closed_forms(images, beta: float, weight: float) -> None:
    """One latent, one concept, four images. Fixed points of the derivatives, solved without our losses."""
    m, v = images
    mean, variance = best_concept(m, v, beta, weight, "forward")
    check_close(learned_concept(m, v, beta, weight, "forward"), (mean, variance))
    spread = (v + (m - mean).square()).mean()
    assert beta * variance**2 + (weight - beta) * variance == pytest.approx(weight * spread.item())  # as published
    check_close(learned_concept(m, v, beta, weight, "reverse"), best_concept(m, v, beta, weight, "reverse"))


def test_numbers_of_the_closed_form() -> None:
    """β = 1, λ = 10 of a concept centred on 0: V = 0.01 gives about 0.011, V = 1 gives 1."""
    for spread, expected in ((0.01, 0.0111), (1.0, 1.0)):
        pair = torch.tensor([1.0, -1.0], dtype=torch.float64) * (spread / 2) ** 0.5
        _, variance = learned_concept(pair, torch.full_like(pair, spread / 2), 1.0, 10.0, "forward")
        assert variance == pytest.approx(expected, rel=0.05)


def test_the_forward_divergence_abstracts_and_the_reverse_does_not() -> None:
    forward, reverse = (learned_concept(*DIFFERING, 1.0, 10.0, direction)[1] for direction in GROUNDINGS)
    assert forward > 2 * DIFFERING[1].max()
    assert reverse < DIFFERING[1].mean()


def learned_concept(m: torch.Tensor, v: torch.Tensor, beta: float, weight: float, direction: str) -> tuple:
    concept = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([concept], max_iter=200, line_search_fn="strong_wolfe")
    images = m[:, None], v.log()[:, None]

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        mean, logvar = concept.expand(len(m), 2).split(1, dim=1)
        grounding = GROUNDINGS[direction](images, (mean, logvar))
        total = (beta * kl_to_standard_normal(mean, logvar).sum(1) + weight * grounding).mean()
        total.backward()
        return total

    optimizer.step(loss)
    return concept[0].item(), concept[1].exp().item()


def best_concept(m: torch.Tensor, v: torch.Tensor, beta: float, weight: float, direction: str) -> tuple:
    if direction == "reverse":
        precision = (beta + weight * (1 / v).mean()) / (beta + weight)
        mean = weight * (m / v).mean() / (beta + weight * (1 / v).mean())
        return mean.item(), 1 / precision.item()
    mean, variance = 0.0, 1.0
    for _ in range(1000):
        mean = weight * m.mean().item() / (weight + beta * variance)
        spread = (v + (m - mean).square()).mean().item()
        half = (weight - beta) / 2
        variance = weight * spread / (half + (half**2 + beta * weight * spread) ** 0.5)
    return mean, variance


def check_close(found: tuple, expected: tuple) -> None:
    assert found[0] == pytest.approx(expected[0], rel=0.05)
    assert found[1] == pytest.approx(expected[1], rel=0.05)
