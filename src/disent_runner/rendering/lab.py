"""A hat, an ice lolly or a suitcase in a coloured room: a stand-in for the DeepMind Lab scenes of SCAN.

Higgins et al. (2018) name wall, floor and object colours and the identity of the object; yaw, spawn and rotation are
what they leave to chance. Yaw moves the corner of the walls to the right and the object to the left, spawn brings the
object nearer, and rotation narrows it and moves a dark stripe across it.

A picture is the sum over three layers (wall, floor, object) of shading times colour. Coverage is counted in samples of
whole-numbered shading, so that a pixel of one surface has exactly the shading of that surface.
"""

import math
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt8

from disent_runner.rendering.checks import check_range
from disent_runner.rendering.lab_palette import FOUR_COLOURS, LAB_PALETTE

LAB_SIZES = {"wall": 16, "floor": 16, "object": 16, "identity": 3, "yaw": 7, "spawn": 4, "rotation": 8}
IDENTITIES = ("hat", "ice lolly", "suitcase")
LAB8_SIZES = {**LAB_SIZES, "wall": 4, "floor": 4, "object": 4}
IMAGE_SIDE = 64
SAMPLES_PER_SIDE = 4
HORIZON, BASE = 0.55 * IMAGE_SIDE, 0.8 * IMAGE_SIDE
LEFT_WALL, RIGHT_WALL, FAR_FLOOR, NEAR_FLOOR = 1.0, 0.85, 0.8, 1.0
STRIPE, OUTLINE = 0.6, 0.5

Grid = Float[np.ndarray, "fine fine"]
Mask = Bool[np.ndarray, "fine fine"]


def lab_layers() -> UInt8[np.ndarray, "geometry layer 64 64"]:
    """Shading (255 full) of wall, floor and object, for all identities, yaws, spawns and rotations.

    Geometries are in the order of the data set, rotation last and fastest. The layers of a pixel sum to at most 255.
    """
    sizes = [LAB_SIZES[name] for name in ("identity", "yaw", "spawn", "rotation")]
    return _layers_of(np.array(list(product(*(range(size) for size in sizes)))))


def lab_colours() -> tuple[UInt8[np.ndarray, "value 3"], ...]:
    """The colours of wall, floor and object: the whole palette for each."""
    colours = np.array(list(LAB_PALETTE.values()), np.uint8)
    return colours, colours, colours


def lab8_colours() -> tuple[UInt8[np.ndarray, "value 3"], ...]:
    """The colours of wall, floor and object in the small variant, whose sizes are `LAB8_SIZES`."""
    colours = np.array([LAB_PALETTE[name] for name in FOUR_COLOURS], np.uint8)
    return colours, colours, colours


def render_lab(factors: Integer[np.ndarray, "image 7"]) -> UInt8[np.ndarray, "image 3 64 64"]:
    """Images of rows of value indices (wall, floor, object, identity, yaw, spawn, rotation), in any order.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, LAB_SIZES)
    geometries, geometry = np.unique(factors[:, 3:].astype(np.int64), axis=0, return_inverse=True)
    layers = _layers_of(geometries)[geometry.reshape(-1)]
    total = np.zeros((len(factors), 3, IMAGE_SIDE, IMAGE_SIDE), np.int32)
    for layer, colours in enumerate(lab_colours()):
        total += layers[:, layer, None] * colours[factors[:, layer], :, None, None].astype(np.int32)
    return ((total + 127) // 255).astype(np.uint8)


def _layers_of(geometries: Int[np.ndarray, "geometry 4"]) -> UInt8[np.ndarray, "geometry 3 64 64"]:
    layers = np.empty((len(geometries), 3, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    for number, (identity, yaw, spawn, rotation) in enumerate(geometries.tolist()):
        turn = (yaw - 3) / 3
        solid = _object_shading(identity, turn, nearness=spawn / 3, angle=2 * math.pi * (rotation + 0.5) / 8)
        samples = np.concatenate([np.where(solid > 0, 0, _room_shading(turn)), solid[None]])
        rows = samples.reshape(3, IMAGE_SIDE, SAMPLES_PER_SIDE, -1).sum(axis=2)
        sums = rows.reshape(3, IMAGE_SIDE, IMAGE_SIDE, SAMPLES_PER_SIDE).sum(axis=3)
        layers[number] = sums // SAMPLES_PER_SIDE**2
    return layers


def _sample_positions() -> tuple[Float[np.ndarray, "1 fine"], Float[np.ndarray, "fine 1"]]:
    """Columns and rows (downwards) of the samples, in pixels."""
    position = (np.arange(IMAGE_SIDE * SAMPLES_PER_SIDE) + 0.5) / SAMPLES_PER_SIDE
    return position[None, :], position[:, None]


def _level(shading: Float[np.ndarray, "*sample"]) -> Int[np.ndarray, "*sample"]:
    return np.rint(255 * shading).astype(np.int32)


def _room_shading(turn: float) -> Int[np.ndarray, "2 fine fine"]:
    x, y = _sample_positions()
    on_wall = y < HORIZON
    wall = np.where(x < IMAGE_SIDE * (0.5 + 0.35 * turn), LEFT_WALL, RIGHT_WALL)
    pixel_row = np.floor(y) + 0.5  # one shading in a pixel
    nearness = np.clip((pixel_row - HORIZON) / (IMAGE_SIDE - 0.5 - HORIZON), 0.0, 1.0)
    floor = FAR_FLOOR + (NEAR_FLOOR - FAR_FLOOR) * nearness + 0 * x
    return np.stack([_level(np.where(on_wall, wall, 0.0)), _level(np.where(on_wall, 0.0, floor))])


def _object_shading(identity: int, turn: float, *, nearness: float, angle: float) -> Int[np.ndarray, "fine fine"]:
    """Shading of the object in samples, 0 outside: full, but for an outline and the stripe."""
    cosine, sine = round(math.cos(angle), 12), round(math.sin(angle), 12)
    height = 0.38 * IMAGE_SIDE * (0.6 + 0.4 * nearness)
    x, y = _sample_positions()
    across = (x - IMAGE_SIDE * (0.5 - 0.25 * turn)) / (height * (0.55 + 0.45 * abs(cosine))) + 0 * y
    up = (BASE - y) / height + 0 * x
    body, rest = SILHOUETTES[identity](across, up)
    # With a stripe at sine alone, front and back would look the same: it is wider and further out in front.
    centre, half_width = 0.58 * sine * (1 + 0.5 * cosine), 0.2 + 0.08 * cosine
    stripe = np.abs(across / BODY_HALF_WIDTHS[identity] - centre) < half_width
    outline = np.where(body, ~_eroded(body), ~_eroded(body | rest))
    shading = np.where(outline, OUTLINE, np.where(body & stripe, STRIPE, 1.0))
    return _level(np.where(body | rest, shading, 0.0))


def _eroded(mask: Mask) -> Mask:
    """The mask without a margin of one pixel; it must not touch the edge of the picture."""
    straight, oblique = SAMPLES_PER_SIDE, round(SAMPLES_PER_SIDE * math.sqrt(0.5))
    inner = mask.copy()
    for sign in (1, -1):
        for down, right in ((sign * straight, 0), (0, sign * straight)):
            inner &= np.roll(mask, (down, right), axis=(0, 1))
        for side in (1, -1):
            inner &= np.roll(mask, (sign * oblique, side * oblique), axis=(0, 1))
    return inner


def _ellipse(across: Grid, up: Grid, half_width: float, half_height: float) -> Mask:
    x, y = across / half_width, up / half_height
    return x * x + y * y < 1


def _rounded_box(across: Grid, up: Grid, half_width: float, half_height: float, radius: float) -> Mask:
    x = np.maximum(np.abs(across) - half_width + radius, 0.0)
    y = np.maximum(np.abs(up) - half_height + radius, 0.0)
    return x * x + y * y < radius * radius


def _hat(across: Grid, up: Grid) -> tuple[Mask, Mask]:
    """Dome and brim, of a hat of height 1 that stands on up = 0."""
    crown = _rounded_box(across, up - 0.5, 0.4, 0.5, 0.33) & (up > 0.24)
    foot = _ellipse(across, up - 0.24, 0.4, 0.09)
    return crown | foot, _ellipse(across, up - 0.2, 0.64, 0.2)


def _ice_lolly(across: Grid, up: Grid) -> tuple[Mask, Mask]:
    """Bar and stick."""
    bar = _rounded_box(across, up - 0.66, 0.33, 0.34, 0.33) | _rounded_box(across, up - 0.5, 0.33, 0.2, 0.08)
    return bar, (np.abs(across) < 0.09) & (up > 0) & (up < 0.4)


def _suitcase(across: Grid, up: Grid) -> tuple[Mask, Mask]:
    """Box and handle."""
    handle = _rounded_box(across, up - 0.8, 0.26, 0.2, 0.12) & ~_rounded_box(across, up - 0.7, 0.13, 0.17, 0.05)
    return _rounded_box(across, up - 0.37, 0.6, 0.37, 0.12), handle & (up > 0.6)


SILHOUETTES = (_hat, _ice_lolly, _suitcase)
BODY_HALF_WIDTHS = (0.4, 0.33, 0.6)
