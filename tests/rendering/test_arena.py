import colorsys

import numpy as np
import pytest

from disent_runner.rendering.arena import AGENT, DISC, FLOOR, LARGE, STAR, WALL, draw_arena, hue_colours
from tests.rendering.cie_lab import to_lab

ROWS = {
    4: {DISC: ".oo. oooo oooo .oo.", STAR: "o..o .oo. .oo. o..o", AGENT: "wwww wkkw wkkw wwww"},
    8: {
        DISC: "..oooo.. .oooooo. oooooooo oooooooo oooooooo oooooooo .oooooo. ..oooo..",
        STAR: "o......o oo.oo.oo .oooooo. ..oooo.. ..oooo.. .oooooo. oo.oo.oo o......o",
        AGENT: "wwwwwwww wwwwwwww wwkkkkww wwkkkkww wwkkkkww wwkkkkww wwwwwwww wwwwwwww",
    },
}


def colour_of(part: int, row: int, column: int, hues: np.ndarray, side: int) -> list[int]:
    def shade(hue: int, saturation: float, value: float) -> list[int]:
        return [round(255 * channel) for channel in colorsys.hsv_to_rgb(hue / 8, saturation, value)]

    floor, wall, thing = shade(hues[0], 0.85, 0.5), shade(hues[1], 0.5, 0.9), shade(hues[2], 1, 1)
    if part in (WALL, FLOOR):
        return wall if part == WALL else floor
    letter = ROWS[side][part].split()[row][column]
    return {"o": thing, ".": floor, "w": [255] * 3, "k": [0] * 3}[letter]


@pytest.mark.parametrize("image_size", [32, 64])
def test_rooms_pixel_by_pixel(image_size):
    """Against a drawing that asks of each pixel which part of which cell it is."""
    rng = np.random.default_rng(0)
    hues, cells = rng.integers(8, size=(4, 3)), rng.integers(5, size=(4, 64))
    images, side = draw_arena(hues, cells, image_size=image_size), image_size // 8
    slow = [
        [
            [
                colour_of(cells[n, y // side * 8 + x // side], y % side, x % side, hues[n], side)
                for x in range(image_size)
            ]
            for y in range(image_size)
        ]
        for n in range(4)
    ]
    np.testing.assert_array_equal(images, slow)


def test_colours_are_told_apart():
    """In CIE Lab: hues of one part from one another, and things and walls from every floor."""
    lab = to_lab(hue_colours().reshape(-1, 3)).reshape(3, 8, 3)

    def apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.sqrt(((first[:, None] - second) ** 2).sum(axis=-1))

    assert all(apart(part, part)[np.triu_indices(8, 1)].min() > 15 for part in lab)
    floor, wall, thing = lab
    assert apart(floor, thing).min() > 40
    assert apart(floor, wall).min() > 30


@pytest.mark.parametrize("image_size", [32, 64])
def test_what_covers_four_cells_is_what_covers_one_with_each_pixel_doubled(image_size):
    hues, side = np.array([[1, 2, 3]]), image_size // 8
    for part, first in LARGE.items():
        cells, large = np.full((2, 8, 8), FLOOR)
        cells[4, 4], large[4:6, 4:6] = part, first + np.arange(4).reshape(2, 2)
        small, found = (draw_arena(hues, each.reshape(1, 64), image_size=image_size)[0] for each in (cells, large))
        one = small[4 * side : 5 * side, 4 * side : 5 * side]
        np.testing.assert_array_equal(
            found[4 * side : 6 * side, 4 * side : 6 * side], one.repeat(2, axis=0).repeat(2, axis=1)
        )
