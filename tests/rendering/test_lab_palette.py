"""Distances are those of CIE Lab for D65, from the formulas of the sRGB standard (IEC 61966-2-1)."""

import numpy as np

from disent_runner.rendering.lab_palette import FOUR_COLOURS, LAB_PALETTE
from tests.rendering.cie_lab import to_lab


def distances(names: tuple[str, ...]) -> np.ndarray:
    colours = to_lab(np.array([LAB_PALETTE[name] for name in names]))
    apart = np.sqrt(((colours[:, None] - colours) ** 2).sum(axis=-1))
    return apart[np.triu_indices(len(names), 1)]


def test_known_colours_in_lab() -> None:
    """White, black, and red and blue as published for sRGB and D65."""
    lab = to_lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]))
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(lab, expected, atol=0.03)


def test_sixteen_colours_well_apart() -> None:
    assert list(LAB_PALETTE) == [
        *("red", "orange", "yellow", "lime", "green", "teal", "cyan", "azure"),
        *("blue", "violet", "magenta", "pink", "brown", "white", "grey", "black"),
    ]
    assert distances(tuple(LAB_PALETTE)).min() >= 25


def test_the_four_colours_are_far_apart() -> None:
    assert len(FOUR_COLOURS) == 4
    assert distances(FOUR_COLOURS).min() >= 70


def test_grey_and_black_are_no_extremes() -> None:
    """So that outlines at half brightness are seen on them."""
    for name, least, most in (("black", 40, 60), ("grey", 120, 160), ("white", 240, 255)):
        assert len(set(LAB_PALETTE[name])) == 1
        assert least <= LAB_PALETTE[name][0] <= most
