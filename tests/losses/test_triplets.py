"""Divergences beside integrals, answers beside the paper's formula, triplets of a batch by counting."""

import math

import pytest
import torch
from scipy import integrate, stats

from disent_runner.losses.triplets import DIVERGENCES, distinct_others, information_radius, masked, triplet_nll

PAIRS = [((0.0, 1.0), (0.0, 1.0)), ((0.3, 0.5), (-1.0, 0.8)), ((2.0, 0.1), (-1.0, 1.5))]
"""Means and standard deviations."""


def log_density(z: float, mean: float, sigma: float) -> float:
    return -((z - mean) ** 2) / (2 * sigma**2) - math.log(sigma * math.sqrt(2 * math.pi))


def kl(of: tuple[float, float], to: tuple[float, float]) -> float:
    """The integral, over twelve standard deviations on either side."""

    def integrand(z: float) -> float:
        return math.exp(log_density(z, *of)) * (log_density(z, *of) - log_density(z, *to))

    return integrate.quad(integrand, of[0] - 12 * of[1], of[0] + 12 * of[1], epsabs=1e-10, limit=200)[0]


def posterior(mean: float, sigma: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[2 * math.log(sigma)]], dtype=torch.float64)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_information_radius_is_to_the_normal_nearest_to_both(first, second):
    middle = (first[0] + second[0]) / 2
    sigma = math.sqrt((first[1] ** 2 + second[1] ** 2) / 2 + (first[0] - second[0]) ** 2 / 4)
    expected = (kl(first, (middle, sigma)) + kl(second, (middle, sigma))) / 2
    found = information_radius(posterior(*first), posterior(*second))
    assert found.item() == pytest.approx(expected, abs=1e-8)
    for moved, scaled in ((0.05, 1.0), (-0.05, 1.0), (0.0, 1.05), (0.0, 0.95)):
        other = (middle + moved, sigma * scaled)
        assert (kl(first, other) + kl(second, other)) / 2 > expected


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_kl_is_the_symmetric_one(first, second):
    found = DIVERGENCES["kl"](posterior(*first), posterior(*second))
    assert found.item() == pytest.approx((kl(first, second) + kl(second, first)) / 2, rel=1e-7, abs=1e-9)


def test_an_answer_has_the_probability_of_the_paper():
    near, far = torch.tensor([0.0, 1.0, 80.0], dtype=torch.float64), torch.tensor([0.0, 2.5, 1.0], dtype=torch.float64)
    expected = [-math.log(math.exp(-a) / (math.exp(-a) + math.exp(-b))) for a, b in zip(near, far, strict=True)]
    torch.testing.assert_close(triplet_nll(near, far), torch.tensor(expected, dtype=torch.float64))


def test_a_mask_weighs_latents():
    divergence = torch.tensor([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    mask = torch.tensor([[0.0, 0.5, 0.0], [1.0, 1.0, 1.0]])
    assert masked(divergence, mask).tolist() == [1.0, 7.0]


def test_triplets_are_of_three_images_and_every_pair_of_others_is_as_likely():
    torch.manual_seed(0)
    anchor, first, second = distinct_others(4, 24_000, device=torch.device("cpu"))
    assert ((anchor != first) & (first != second) & (second != anchor)).all()
    counts = torch.bincount(16 * anchor + 4 * first + second, minlength=64)
    assert (counts > 0).sum() == 24
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3
