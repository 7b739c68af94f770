import numpy as np
import pytest
import torch

from disent_runner.figures.mode_coverage import best_concept, mode_coverage
from disent_runner.losses.concepts import forward_grounding, reverse_grounding
from tests.figures.rooms import without_symbols

MEANS = torch.tensor([-1.5, -0.5, 0.6, 1.7], dtype=torch.float64)
VARIANCE = 0.04


def best(grounding, **weights: float) -> tuple[float, float]:
    settings = {"beta_y": 1.0, "lambda_grounding": 10.0, **weights}
    return best_concept(MEANS, float(np.log(VARIANCE)), grounding=grounding, **settings)


def test_forward_covers_all_examples() -> None:
    """Without the prior's weight the moments of the examples; with it the root of βs² + (λ - β)s = λV."""
    mean, deviation = best(forward_grounding, beta_y=0.0)
    assert mean == pytest.approx(float(MEANS.mean()), abs=1e-4)
    assert deviation**2 == pytest.approx(VARIANCE + float(MEANS.var(correction=0)), rel=1e-4)
    mean, deviation = best(forward_grounding)
    beta, weight, s = 1.0, 10.0, deviation**2
    assert mean == pytest.approx(weight * float(MEANS.mean()) / (weight + beta * s), rel=1e-3)
    about_it = VARIANCE + float((MEANS - mean).square().mean())
    assert beta * s**2 + (weight - beta) * s == pytest.approx(weight * about_it, rel=1e-3)


def test_reverse_is_as_narrow_as_one_example() -> None:
    mean, deviation = best(reverse_grounding)
    assert 1 / deviation**2 == pytest.approx((1 + 10 / VARIANCE) / 11, rel=1e-3)
    assert mean == pytest.approx(10 * float(MEANS.mean()) / VARIANCE / (1 + 10 / VARIANCE), rel=1e-3)


def test_densities_have_an_area_of_one_and_forward_is_broad(rng) -> None:
    (figure,) = mode_coverage(
        without_symbols(), rng=rng, means=[-1.5, 1.5], deviation=0.2, beta_y=1.0, lambda_grounding=10.0
    ).values()
    forward, reverse = figure.axes[0].lines
    places, broad, narrow = (
        np.asarray(values) for values in (forward.get_xdata(), forward.get_ydata(), reverse.get_ydata())
    )
    assert np.trapezoid(broad, places) == pytest.approx(1, abs=0.15)  # the picture ends before the tails do
    assert np.trapezoid(narrow, places) == pytest.approx(1, abs=1e-6)
    assert broad.max() < narrow.max() / 4
    assert [line.get_label() for line in (forward, reverse)] == ["forward KL, σ 1.44", "reverse KL, σ 0.21"]


def test_one_example_is_its_own_concept_either_way() -> None:
    one = torch.tensor([0.7], dtype=torch.float64)
    for grounding in (forward_grounding, reverse_grounding):
        mean, deviation = best_concept(one, 2 * np.log(0.3), grounding=grounding, beta_y=0.0, lambda_grounding=1.0)
        assert (mean, deviation) == (pytest.approx(0.7, abs=1e-4), pytest.approx(0.3, rel=1e-3))
