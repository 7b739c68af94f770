from dataclasses import replace

import numpy as np
import pytest

from disent_runner.metrics.swap import NONE, rows_of_swaps, swap
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.parts import FACTORS, faces


def test_parts_of_their_own_make_the_true_image(rng) -> None:
    """Of 30 pixels a wrong pose has two wrong, and so has a wrong identity."""
    scores = swap(faces(), rng=rng)
    assert scores == pytest.approx(
        {"swap": 0, "swap_of_the_target": 0, "swap_by_part_alone": 2 / 30, "swap_without_part": 2 / 30}
    )


def test_an_identity_that_is_in_m_stays_behind(rng) -> None:
    """h is of no use: the swapped image is A's."""
    blind = faces(h=np.full((60, 4), 0.25))
    scores = swap(blind, rng=rng)
    assert scores["swap"] == scores["swap_without_part"] == pytest.approx((0.75**2 + 3 * 0.25**2) / 30)


def test_the_other_part_is_for_other_factors(rng) -> None:
    scores = swap(faces(), rng=rng, part="m", factors=["azimuth", "elevation"])
    assert scores["swap"] == 0
    half = swap(faces(), rng=rng, part="m", factors=["azimuth"])
    assert half["swap"] > 0  # m carries the elevation too


def test_rows_are_those_of_the_factors_of_both() -> None:
    first, second = np.array([0, 14, 59]), np.array([59, 15, 0])
    expected = FACTORS[first].copy()
    expected[:, 0] = FACTORS[second, 0]
    np.testing.assert_array_equal(FACTORS[rows_of_swaps(FACTORS, first, second, [0])], expected)
    assert rows_of_swaps(FACTORS[:16], np.array([14]), np.array([15]), [0]).tolist() == [NONE]


def test_what_cannot_be_swapped_is_said(rng) -> None:
    rep = faces()
    with pytest.raises(NotApplicable, match="swap needs the model's decoder"):
        swap(replace(rep, autoencoder=None), rng=rng)
    with pytest.raises(ValueError, match=r"^swap needs factors of identity, azimuth, elevation, got pose"):
        swap(rep, rng=rng, factors=["pose"])
    with pytest.raises(NotApplicable, match="swap needs factors beside identity, azimuth, elevation, got none"):
        swap(rep, rng=rng, factors=["identity", "azimuth", "elevation"])
    alone = Representation(
        rep.codes[:2], np.array([[0, 0], [1, 1]]), (2, 2), autoencoder=rep.autoencoder, parts=rep.parts
    )
    with pytest.raises(NotApplicable, match="swap needs images with the factors of two others, got none in 2000 pairs"):
        swap(alone, rng=rng)
    with pytest.raises(NotApplicable, match="swap needs codes of several parts"):
        swap(replace(rep, parts={}), rng=rng)
