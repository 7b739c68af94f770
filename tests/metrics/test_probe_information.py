"""Codes of which the information is known: by integrals, by counting, and of nothing."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from disent_runner.metrics.probe_information import probe_information
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable


def scored(codes: np.ndarray, factors: np.ndarray, sizes: tuple[int, ...], **settings: int) -> dict[str, float]:
    rep = Representation(codes, factors, sizes)
    return probe_information(rep, rng=np.random.default_rng(0), num_train=2_000, num_test=4_000, **settings)


def test_a_sign_under_normal_noise_has_the_information_of_the_integral(rng):
    """H(z) - H(z|v) of an even mixture of two normal distributions, one nat and a half apart on either side."""
    signs = rng.integers(2, size=(6_000, 1))
    codes = 3.0 * signs - 1.5 + rng.standard_normal(signs.shape)

    def mixture(z: float) -> float:
        return float(stats.norm.pdf(z, -1.5) + stats.norm.pdf(z, 1.5)) / 2

    of_code = integrate.quad(lambda z: -mixture(z) * math.log(mixture(z)), -9, 9)[0]
    expected = of_code - float(stats.norm.entropy())
    assert scored(codes, signs, (2,))["probe_information"] == pytest.approx(expected, abs=0.03)


def test_what_only_two_codes_together_tell_is_read(rng):
    """An exclusive or, of which no linear probe reads anything; beside it a factor that codes know nothing of."""
    bits = rng.integers(2, size=(6_000, 2))
    factors = np.stack([bits[:, 0] ^ bits[:, 1], rng.integers(3, size=6_000)], axis=1)
    values = scored(bits + 0.05 * rng.standard_normal(bits.shape), factors, (2, 3))
    assert values["probe_information_factor_0"] == pytest.approx(math.log(2), abs=0.02)
    assert values["probe_information_share_factor_0"] == pytest.approx(1, abs=0.03)
    assert values["probe_information_factor_1"] < 0.01
    assert values["probe_information"] == pytest.approx((values["probe_information_factor_0"]) / 2, abs=0.01)


def test_rare_values_and_constant_codes_are_no_trouble(rng):
    rare = np.zeros((100, 1), int)
    rare[rng.permutation(100)[:2]] = 4
    assert scored(np.zeros((100, 3)), rare, (5,))["probe_information"] < 0.1


def test_few_images_tell_nothing():
    with pytest.raises(NotApplicable, match="needs 20 images to train on, got 2"):
        scored(np.zeros((3, 1)), np.array([[0], [1], [0]]), (2,))
