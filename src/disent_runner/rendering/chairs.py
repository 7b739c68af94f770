"""Chairs built from boxes and seen from all around, a stand-in for 3D Chairs (Aubry et al. 2014).

A chair turns about the vertical in front of a fixed camera with parallel rays. A ray's way through a box is that
between three pairs of parallel planes, in the coordinates of the box; of all boxes that it meets the nearest is seen.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int, Integer, UInt8

from disent_runner.rendering.chair_parts import SEAT_DEPTH, SEAT_WIDTHS, Box, chair_boxes
from disent_runner.rendering.checks import check_range

CHAIR_SIZES = {"rotation": 62, "legs": 4, "width": 6, "back": 5}
IMAGE_SIDE = 64
SAMPLES = 3  # of a pixel, across and down
GRID_SIDE = SAMPLES * IMAGE_SIDE
PIXELS_PER_METRE = 46.3
MIDDLE_HEIGHT = 0.5  # metres above the floor, of what is seen in the middle of the picture
ELEVATION = math.radians(22)
LIGHT = (-0.45, -0.65, 0.9)  # towards the light, in the camera's right, far and up
AMBIENT = 0.34
WHITE = 255
EXACT_STEPS = 2.0**40


class Camera(NamedTuple):
    """Directions in the coordinates of the turned chair, one row a rotation."""

    right: Float64[np.ndarray, "rotation 3"]
    up: Float64[np.ndarray, "rotation 3"]
    near: Float64[np.ndarray, "rotation 3"]
    light: Float64[np.ndarray, "rotation 3"]


class Window(NamedTuple):
    """A rectangle of samples for each rotation, all of the same size."""

    rows: Int[np.ndarray, "rotation height"]
    columns: Int[np.ndarray, "rotation width"]


def render_chairs(factors: Integer[np.ndarray, "image 4"]) -> UInt8[np.ndarray, "image 64 64"]:
    """Images (grey on white) of rows of value indices (rotation, legs, width, back), in any order.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, CHAIR_SIZES)
    images = np.empty((len(factors), IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    chairs, chair_of_image = np.unique(factors[:, 1:], axis=0, return_inverse=True)
    for number, (legs, width, back) in enumerate(chairs.tolist()):
        chosen = np.flatnonzero(chair_of_image.reshape(-1) == number)
        rotation, view = np.unique(factors[chosen, 0], return_inverse=True)
        images[chosen] = _render_views(chair_boxes(legs, width, back), SEAT_WIDTHS[width], rotation)[view.reshape(-1)]
    return images


def chair_blocks() -> Iterator[UInt8[np.ndarray, "image 64 64"]]:
    """All 7,440 images, last factor fastest, in two blocks: all chairs in the rotations of half a turn."""
    factors = np.indices(tuple(CHAIR_SIZES.values())).reshape(len(CHAIR_SIZES), -1).T
    for half in np.split(factors, 2):
        yield render_chairs(half)


def _render_views(
    boxes: list[Box], seat_width: float, rotation: Integer[np.ndarray, " rotation"]
) -> UInt8[np.ndarray, "rotation 64 64"]:
    camera = _camera(rotation)
    depth = np.full((len(rotation), GRID_SIDE, GRID_SIDE), -np.inf)
    grey = np.zeros(depth.shape, np.uint8)  # 0 where no box is hit: no face is as dark
    for box in boxes:
        _draw_box(box, camera, depth, grey)
    samples = grey.reshape(len(rotation), IMAGE_SIDE, SAMPLES, IMAGE_SIDE, SAMPLES)
    free = SAMPLES**2 - np.count_nonzero(samples, axis=(2, 4))
    total = samples.sum(axis=(2, 4), dtype=np.int64) + free * _floor(camera, seat_width)
    return ((total + SAMPLES**2 // 2) // SAMPLES**2).astype(np.uint8)


def _camera(rotation: Integer[np.ndarray, " rotation"]) -> Camera:
    """The camera of a chair turned counter-clockwise, seen from above: it goes around the chair clockwise."""
    angle = -2 * np.pi * rotation / CHAIR_SIZES["rotation"]
    sine, cosine, zero = np.sin(angle), np.cos(angle), np.zeros(len(angle))
    right, far, vertical = (
        np.stack(parts, axis=1) for parts in ((cosine, sine, zero), (-sine, cosine, zero), (zero, zero, zero + 1))
    )
    low, high = math.cos(ELEVATION), math.sin(ELEVATION)
    light = LIGHT[0] * right + LIGHT[1] * far + LIGHT[2] * vertical
    directions = (right, high * far + low * vertical, high * vertical - low * far, light / math.hypot(*LIGHT))
    # The last bits of sines depend on the processor; those kept here do not.
    return Camera(*(np.rint(direction * EXACT_STEPS) / EXACT_STEPS for direction in directions))


def _draw_box(
    box: Box,
    camera: Camera,
    depth: Float64[np.ndarray, "rotation 192 192"],
    grey: UInt8[np.ndarray, "rotation 192 192"],
) -> None:
    """Write the nearest of the box's points into depth and grey, where it is nearer than what is there."""
    window = _window(box, camera)
    entry, exit_, face = _slabs(box, camera, window)
    place = (np.arange(len(depth))[:, None, None], window.rows[:, :, None], window.columns[:, None, :])
    before = depth[place]
    # Where two boxes touch in a plane the first one stays: rounding errors must not decide.
    seen = (exit_ >= entry) & (exit_ > before + 1e-6)
    depth[place] = np.where(seen, exit_, before)
    shade = np.take_along_axis(_shades(box, camera), face.reshape(len(face), -1), axis=1).reshape(face.shape)
    grey[place] = np.where(seen, shade, grey[place])


def _window(box: Box, camera: Camera) -> Window:
    """The samples around the box's shadow on the picture plane, moved inwards where they leave the picture."""
    ranges = []
    for direction, sign in ((camera.up, -1), (camera.right, 1)):
        reach = (np.abs(_dot(direction, box.axes)) * box.half_sides).sum(axis=1)
        middle = _dot(direction, box.centre[None])[:, 0] - (MIDDLE_HEIGHT * math.cos(ELEVATION) if sign < 0 else 0)
        scale = PIXELS_PER_METRE * SAMPLES
        first = np.floor(GRID_SIDE / 2 + scale * (sign * middle - reach)).astype(np.int64)
        size = min(GRID_SIDE, 2 + math.ceil(2 * scale * reach.max()))
        ranges.append(np.clip(first, 0, GRID_SIDE - size)[:, None] + np.arange(size))
    return Window(*ranges)


def _slabs(
    box: Box, camera: Camera, window: Window
) -> tuple[
    Float64[np.ndarray, "rotation height width"],
    Float64[np.ndarray, "rotation height width"],
    Int[np.ndarray, "rotation height width"],
]:
    """Where rays enter and leave the box, as distances towards the camera, and the axis of the faces they leave by."""
    across, up = _screen(window)
    right, rise, near = (_dot(direction, box.axes) for direction in (camera.right, camera.up, camera.near))
    near = np.where(np.abs(near) < 1e-9, 1e-9, near)  # a ray along the planes is either always or never between them
    offset = _dot(box.axes, box.centre[None])[:, 0]
    entries, exits = [], []
    for axis in range(3):
        along_row = (offset[axis] - across * right[:, axis, None]) / near[:, axis, None]
        along_column = up * rise[:, axis, None] / near[:, axis, None]
        middle = along_row[:, None, :] - along_column[:, :, None]
        half = (box.half_sides[axis] / np.abs(near[:, axis]))[:, None, None]
        entries.append(middle - half)
        exits.append(middle + half)
    entry = np.maximum(np.maximum(entries[0], entries[1]), entries[2])
    first_exit = np.minimum(exits[0], exits[1])
    face = np.where(exits[2] < first_exit, 2, np.where(exits[1] < exits[0], 1, 0))
    return entry, np.minimum(first_exit, exits[2]), face


def _shades(box: Box, camera: Camera) -> UInt8[np.ndarray, "rotation 3"]:
    """Grey of the face towards the camera of each pair of faces: constant light plus Lambert's law."""
    facing = np.where(_dot(camera.near, box.axes) > 0, 1, -1)
    lit = np.maximum(0, facing * _dot(camera.light, box.axes))
    return np.rint(WHITE * box.colour * (AMBIENT + (1 - AMBIENT) * lit)).astype(np.uint8)


def _screen(window: Window) -> tuple[Float64[np.ndarray, "rotation width"], Float64[np.ndarray, "rotation height"]]:
    """Metres to the right of and above the origin, in the picture plane."""
    scale = PIXELS_PER_METRE * SAMPLES
    across = (window.columns + 0.5 - GRID_SIDE / 2) / scale
    up = (GRID_SIDE / 2 - window.rows - 0.5) / scale + MIDDLE_HEIGHT * math.cos(ELEVATION)
    return across, up


def _floor(camera: Camera, seat_width: float) -> Int[np.ndarray, "rotation 64 64"]:
    """White, darker under the chair: the shadow fades with the distance from the middle of the edges of the seat."""
    centre = (np.arange(IMAGE_SIDE) + 0.5 - IMAGE_SIDE / 2) / PIXELS_PER_METRE
    behind = (MIDDLE_HEIGHT * math.cos(ELEVATION) - centre) / math.sin(ELEVATION)
    shadow = 0.28
    for axis, half in ((0, seat_width / 2), (1, SEAT_DEPTH / 2)):
        far = (camera.up[:, axis] / math.sin(ELEVATION))[:, None, None]
        place = camera.right[:, axis, None, None] * centre + far * behind[:, None]
        inside = np.clip(0.5 - (np.abs(place) - half) / 0.26, 0, 1)
        shadow = shadow * inside**2 * (3 - 2 * inside)
    return np.rint(WHITE * (1 - shadow)).astype(np.int64)


def _dot(
    directions: Float64[np.ndarray, "direction 3"], others: Float64[np.ndarray, "other 3"]
) -> Float64[np.ndarray, "direction other"]:
    # Not a matrix product, whose sums are taken in another order on another processor.
    return (directions[:, None] * others[None]).sum(axis=2)
