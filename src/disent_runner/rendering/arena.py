"""A room of 8x8 cells seen from above: coloured wall and floor, discs, stars and an agent. All drawing is look-up."""

import colorsys
from functools import cache

import numpy as np
from jaxtyping import Integer, UInt8

ARENA_SIDE = 8
"""Cells, of which the outermost are wall."""
NUM_HUES = 8
WALL, FLOOR, DISC, STAR, AGENT = range(5)
LARGE = {DISC: 5, STAR: 9, AGENT: 13}
"""The upper left quarter of what covers 2x2 cells; upper right, lower left and lower right follow."""
SHADES = {"floor": (0.85, 0.5), "wall": (0.5, 0.9), "object": (1.0, 1.0)}
"""Saturation and value: what is of one hue is told from the others of that hue by them."""
SPRITES = {
    4: {
        DISC: (".oo.", "oooo", "oooo", ".oo."),
        STAR: ("o..o", ".oo.", ".oo.", "o..o"),
        AGENT: ("wwww", "wkkw", "wkkw", "wwww"),
    },
    8: {
        DISC: ("..oooo..", ".oooooo.", *["oooooooo"] * 4, ".oooooo.", "..oooo.."),
        STAR: ("o......o", "oo.oo.oo", ".oooooo.", "..oooo..", "..oooo..", ".oooooo.", "oo.oo.oo", "o......o"),
        AGENT: (*["wwwwwwww"] * 2, *["wwkkkkww"] * 4, *["wwwwwwww"] * 2),
    },
}
"""By the pixels of a cell's side: o object, . floor, w white, k black."""


@cache
def hue_colours() -> UInt8[np.ndarray, "part hue 3"]:
    """Of floor, wall and object: eight hues around the circle, red first."""
    colours = [[colorsys.hsv_to_rgb(hue / NUM_HUES, *shade) for hue in range(NUM_HUES)] for shade in SHADES.values()]
    return np.rint(255 * np.array(colours)).astype(np.uint8)


def draw_arena(
    hues: Integer[np.ndarray, "image 3"], cells: Integer[np.ndarray, "image 64"], *, image_size: int
) -> UInt8[np.ndarray, "image height width 3"]:
    """Pictures of `image_size` pixels (32 or 64) of rows of hues (floor, wall, object) and of what is in each cell, row
    by row from the upper left.
    """
    side = image_size // ARENA_SIDE
    room = (hues[:, 0] * NUM_HUES + hues[:, 1]) * NUM_HUES + hues[:, 2]
    lines = (room[:, None] * _NUM_PARTS + cells).reshape(-1, ARENA_SIDE, 1, ARENA_SIDE) * side
    pixels = np.take(_cell_lines(side), lines + np.arange(side)[:, None])
    return pixels.view(np.uint8).reshape(-1, image_size, image_size, 3)


_NUM_PARTS = 5 + 4 * len(LARGE)


def _quarters(sprite: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Of the sprite with each pixel doubled, row by row."""
    half = len(sprite) // 2
    parts = [[line[at : at + half] for line in sprite[top : top + half]] for top in (0, half) for at in (0, half)]
    return [tuple("".join(2 * pixel for pixel in line) for line in part for _ in range(2)) for part in parts]


@cache
def _cell_lines(side: int) -> np.ndarray:
    """The lines of pixels of every cell there may be, one item of 3 * `side` bytes each, so that a picture is copied
    line by line: those of a cell after one another, for all hues of floor, wall and object, the last fastest.
    """
    floor, wall, thing = (
        colours.reshape([NUM_HUES if axis == part else 1 for axis in range(3)] + [3])
        for part, colours in enumerate(hue_colours())
    )
    rooms = np.empty((*[NUM_HUES] * 3, _NUM_PARTS, side, side, 3), np.uint8)
    white, black = np.full(3, 255, np.uint8), np.zeros(3, np.uint8)
    of_letter = {"o": thing, ".": floor, "w": white, "k": black, "#": wall}
    sprites = {WALL: ("#" * side,) * side, FLOOR: ("." * side,) * side, **SPRITES[side]}
    for part, first in LARGE.items():
        sprites |= {first + quarter: sprite for quarter, sprite in enumerate(_quarters(SPRITES[side][part]))}
    for part, sprite in sprites.items():
        for row, letters in enumerate(sprite):
            for column, letter in enumerate(letters):
                rooms[:, :, :, part, row, column] = of_letter[letter]
    return rooms.reshape(-1, 3 * side).view(f"V{3 * side}")[:, 0]
