import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch.distributions import Categorical, Normal

from disent_runner.losses.code_information import (
    CodeLayout,
    categorical_log_likelihood,
    code_information,
    code_probabilities,
    continuous_log_likelihood,
)

LAYOUT = CodeLayout((3, 4), 2)
CPU = torch.device("cpu")


@pytest.fixture
def codes() -> torch.Tensor:
    torch.manual_seed(0)
    return LAYOUT.draw(50, CPU)


@pytest.fixture
def outputs() -> torch.Tensor:
    return torch.randn(50, LAYOUT.num_outputs, generator=torch.Generator().manual_seed(1))


def test_sizes_and_entropies() -> None:
    assert (LAYOUT.num_dims, LAYOUT.num_outputs, CodeLayout((3, 4), 2, "fixed").num_outputs) == (9, 11, 9)
    assert LAYOUT.categorical_entropy == pytest.approx(Categorical(torch.ones(12)).entropy().item())
    assert LAYOUT.continuous_entropy == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize(
    "draw", [lambda count: LAYOUT.draw(count, CPU), lambda count: LAYOUT.draw_with(np.random.default_rng(0), count)]
)
def test_codes_of_the_prior(draw) -> None:
    torch.manual_seed(0)
    drawn = np.asarray(draw(6000))
    for block in (drawn[:, :3], drawn[:, 3:7]):
        assert set(block.sum(1).tolist()) == {1.0}
        share = 1 / block.shape[1]
        assert np.abs(block.mean(0) - share).max() < 5 * (share * (1 - share) / 6000) ** 0.5
    assert all(kstest(column, "uniform", args=(-1, 2)).pvalue > 1e-4 for column in drawn[:, 7:].T)


def test_likelihoods_are_those_of_distributions(codes: torch.Tensor, outputs: torch.Tensor) -> None:
    logits, log_sigma = outputs[:, :9], outputs[:, 9:]
    expected = sum(
        Categorical(logits=logits[:, part]).log_prob(codes[:, part].argmax(1)) for part in (slice(0, 3), slice(3, 7))
    )
    torch.testing.assert_close(categorical_log_likelihood(LAYOUT, codes, logits), expected)
    normal = Normal(logits[:, 7:], log_sigma.exp()).log_prob(codes[:, 7:]).sum(1)
    torch.testing.assert_close(continuous_log_likelihood(LAYOUT, codes, logits, log_sigma), normal)


def test_the_bound_is_the_entropy_for_a_q_that_knows_and_zero_for_one_that_guesses(codes: torch.Tensor) -> None:
    knows = torch.cat([100 * codes[:, :7], codes[:, 7:], torch.zeros(50, 2)], dim=1)
    assert code_information(LAYOUT, codes, knows).categorical.item() == pytest.approx(math.log(12), abs=1e-5)
    assert code_information(LAYOUT, codes, torch.zeros(50, 11)).categorical.item() == pytest.approx(0, abs=1e-5)


def test_the_categorical_bound_never_exceeds_the_entropy(codes: torch.Tensor) -> None:
    for seed in range(20):
        outputs = 10 * torch.randn(50, 11, generator=torch.Generator().manual_seed(seed))
        assert code_information(LAYOUT, codes, outputs).categorical <= LAYOUT.categorical_entropy + 1e-5


def test_the_continuous_bound_has_a_ceiling(codes: torch.Tensor) -> None:
    """With the right mean and σ at its floor of e^-4: 4 - log √(2π) + log 2 for each code."""
    certain = torch.cat([codes, torch.full((50, 2), -30.0)], dim=1)
    bound = code_information(LAYOUT, codes, certain).continuous.item()
    assert bound == pytest.approx(2 * (4 - 0.5 * math.log(2 * math.pi) + math.log(2)), rel=1e-5)
    fixed = CodeLayout((3, 4), 2, "fixed")
    unit = Normal(codes[:, 7:], 1.0).log_prob(codes[:, 7:]).sum(1).mean().item() + 2 * math.log(2)
    assert code_information(fixed, codes, codes).continuous.item() == pytest.approx(unit, rel=1e-5)


def test_a_sigma_below_its_floor_comes_back_where_the_means_are_wrong(codes: torch.Tensor) -> None:
    """The bound rises with σ there; where the means are right it would fall, and nothing leads further away."""
    for error, direction in ((1.0, -1.0), (0.0, 0.0)):
        outputs = torch.cat([codes + error, torch.full((50, 2), -9.0)], dim=1).requires_grad_()
        (slope,) = torch.autograd.grad(-code_information(LAYOUT, codes, outputs).continuous, outputs)
        assert (slope[:, 9:].sign() == direction).all()


def test_representation_is_probabilities_and_means(outputs: torch.Tensor) -> None:
    represented = code_probabilities(LAYOUT, outputs)
    torch.testing.assert_close(represented[:, :3], outputs[:, :3].softmax(1))
    torch.testing.assert_close(represented[:, 3:7].sum(1), torch.ones(50))
    torch.testing.assert_close(represented[:, 7:], outputs[:, 7:9])


@pytest.mark.parametrize(("categorical", "continuous"), [((3,), 0), ((), 2)])
def test_one_kind_alone(categorical: tuple[int, ...], continuous: int) -> None:
    layout = CodeLayout(categorical, continuous)
    codes = layout.draw(5, CPU)
    bounds = code_information(layout, codes, torch.zeros(5, layout.num_outputs))
    assert codes.shape == (5, layout.num_dims)
    assert bounds[0 if continuous else 1].item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (((1,), 2), r"sizes of 2 or more.*got \[1\] and 2"),
        (((), 0), "there be a code"),
        (((3,), -1), r"got \[3\] and -1"),
        (((3,), 1, "free"), "sigma must be learned or fixed, got 'free'"),
    ],
)
def test_impossible_layouts(settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CodeLayout(*settings)
