"""Capsules of which the slopes are known."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from disent_runner.metrics.capsule_slope import capsule_slope, weighted_lines
from disent_runner.representations.capsules import Capsules, Movement
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import NotApplicable


def scored(slopes: list[list[float]], presences: list[float], noise: float = 0.0) -> dict[str, float]:
    """`slopes` (capsule, 2) of capsules that are as present in every image."""

    def movement(images: np.ndarray, rng: np.random.Generator) -> Movement:
        shifts = np.repeat(rng.integers(-5, 6, size=(len(images), 1, 2)), len(slopes), axis=1).astype(float)
        found = shifts * slopes + noise * rng.standard_normal(shifts.shape)
        return Movement(np.broadcast_to(presences, shifts.shape[:2]), shifts, found)

    def absent(*arguments: object) -> np.ndarray:
        raise AssertionError

    capsules = Capsules(len(slopes), movement, absent, absent)  # pyright: ignore[reportArgumentType]
    autoencoder = Autoencoder(lambda rows: np.zeros((len(rows), 1, 2, 2)), absent, absent, absent)
    rep = Representation(
        np.zeros((600, 3 * len(slopes))), np.zeros((600, 1), int), (1,), autoencoder=autoencoder, capsules=capsules
    )
    return capsule_slope(rep, rng=np.random.default_rng(0), num_images=500)


def test_capsules_that_follow_have_slopes_of_one():
    values = scored([[1, 1], [1, 1]], [0.9, 0.2])
    assert values == pytest.approx(
        {"capsule_slope": 1, "capsule_slope_mean": 1, "capsule_slope_r2": 1, "capsule_slope_active": 1}
    )


def test_both_axes_have_to_follow():
    values = scored([[1, 1], [1, 0.5], [1.3, 1], [0.9, 1.1]], [0.5] * 4)
    assert values["capsule_slope"] == 0.5
    assert values["capsule_slope_mean"] == pytest.approx((2 + 1.5 + 2.3 + 2) / 8)


def test_absent_capsules_do_not_count():
    values = scored([[1, 1], [0, 0], [-1, 2]], [0.5, 0.05, 0.0])
    assert values["capsule_slope"] == 1
    assert values["capsule_slope_active"] == pytest.approx(1 / 3)
    with pytest.raises(
        NotApplicable, match=r"needs a capsule with a mean presence of at least 0\.1, got 0\.05 at most"
    ):
        scored([[1, 1]], [0.05])


def test_noise_is_what_the_line_does_not_explain():
    values = scored([[1, 1]], [0.5], noise=1.0)
    assert values["capsule_slope_r2"] == pytest.approx(10 / 11, abs=0.02)  # shifts of -5 to 5 have a variance of 10


def test_lines_are_those_of_scipy(rng):
    expected, found = rng.normal(size=(2, 40, 3, 2))
    slopes, explained = weighted_lines(np.full((40, 3), 0.7), expected, found)
    for capsule, axis in np.ndindex(3, 2):
        line: Any = stats.linregress(expected[:, capsule, axis], found[:, capsule, axis])
        assert slopes[capsule, axis] == pytest.approx(line.slope)
        assert explained[capsule, axis] == pytest.approx(line.rvalue**2)


def test_a_weight_of_two_is_an_image_twice(rng):
    expected, found = rng.normal(size=(2, 10, 1, 2))
    weights = np.where(np.arange(10) < 4, 2.0, 1.0)[:, None]
    twice = np.r_[np.arange(10), np.arange(4)]
    for one, other in zip(
        weighted_lines(weights, expected, found),
        weighted_lines(np.ones((14, 1)), expected[twice], found[twice]),
        strict=True,
    ):
        np.testing.assert_allclose(one, other)


def test_what_nothing_moves_has_no_slope():
    slopes, explained = weighted_lines(np.ones((5, 1)), np.zeros((5, 1, 2)), np.ones((5, 1, 2)))
    assert not slopes.any()
    assert not explained.any()


def test_a_model_without_capsules_has_none():
    rep = Representation(np.zeros((2, 1)), np.zeros((2, 1), int), (1,))
    with pytest.raises(NotApplicable, match=r"^capsule_slope needs a model of capsules, such as transforming_ae, got"):
        capsule_slope(rep, rng=np.random.default_rng(0))
