"""Handwritten-looking digits from strokes, a stand-in for MNIST whose factors are known.

A digit is a few lines and arcs in a unit square (y upwards). A style bends the plane they are drawn in, so closed loops
stay closed. Sheared, turned and centred, the strokes are drawn by the exact distance of each pixel to the nearest one.
"""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
from jaxtyping import Float64, Int, Integer, UInt8

from disent_runner.rendering.checks import check_range

DIGIT_SIZES = {"digit": 10, "style": 6, "rotation": 9, "slant": 5, "thickness": 5}
IMAGE_SIDE = 32
HEIGHT = 19.0  # pixels, of an upright digit
SUBPIXELS = 4096
ROTATIONS = np.radians(np.linspace(-24, 24, DIGIT_SIZES["rotation"]))  # positive is counter-clockwise
SLANTS = np.linspace(-0.4, 0.4, DIGIT_SIZES["slant"])  # positive leans to the right
THICKNESSES = np.linspace(1.2, 3.2, DIGIT_SIZES["thickness"])  # pixels
Stroke = Float64[np.ndarray, "point 2"]


def line(*points: tuple[float, float]) -> Stroke:
    return np.array(points, dtype=np.float64)


def arc(x: float, y: float, radius_x: float, radius_y: float, start: float, end: float) -> Stroke:
    """Part of an ellipse around (x, y) from angle `start` to `end` in degrees, counter-clockwise from the right."""
    angle = np.radians(np.linspace(start, end, 1 + math.ceil(abs(end - start) / 15)))
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=1)


def digit_strokes() -> tuple[tuple[Stroke, ...], ...]:
    """The strokes of 0 to 9, in a square from (0, 0) at the lower left to (1, 1)."""
    return (
        (arc(0.5, 0.5, 0.31, 0.5, 0, 360),),
        (line((0.28, 0.78), (0.54, 1.0), (0.54, 0.0)),),
        (arc(0.5, 0.7, 0.3, 0.3, 165, -35), line((0.745, 0.528), (0.18, 0.0), (0.84, 0.0))),
        (arc(0.46, 0.755, 0.28, 0.245, 150, -90), arc(0.46, 0.255, 0.33, 0.255, 90, -150)),
        (line((0.6, 1.0), (0.14, 0.32), (0.86, 0.32)), line((0.66, 0.62), (0.66, 0.0))),
        (line((0.78, 1.0), (0.28, 1.0), (0.23, 0.56)), arc(0.46, 0.31, 0.33, 0.31, 134, -150)),
        (arc(0.68, 0.42, 0.5, 0.58, 90, 180), arc(0.5, 0.3, 0.32, 0.3, 0, 360)),
        (line((0.16, 1.0), (0.84, 1.0), (0.4, 0.0)),),
        (arc(0.5, 0.76, 0.25, 0.24, 0, 360), arc(0.5, 0.26, 0.31, 0.26, 0, 360)),
        (arc(0.5, 0.7, 0.3, 0.3, 0, 360), line((0.8, 0.7), (0.74, 0.3), (0.6, 0.0))),
    )


def render_digits(factors: Integer[np.ndarray, "image 5"]) -> UInt8[np.ndarray, "image 32 32"]:
    """Images of rows of value indices (digit, style, rotation, slant, thickness), in any order; strokes are white.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, DIGIT_SIZES)
    images = np.empty((len(factors), IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    drawings, drawing_of_image = np.unique(factors[:, :2], axis=0, return_inverse=True)
    for number, (digit, style) in enumerate(drawings.tolist()):
        chosen = np.flatnonzero(drawing_of_image.reshape(-1) == number)
        poses, pose_of_image = np.unique(factors[chosen, 2:4], axis=0, return_inverse=True)
        distance = _stroke_distances(digit, style, rotation=poses[:, 0], slant=poses[:, 1])
        images[chosen] = _ink(distance[pose_of_image.reshape(-1)], THICKNESSES[factors[chosen, 4]])
    return images


def digit_blocks() -> Iterator[UInt8[np.ndarray, "pose 32 32"]]:
    """All 13,500 images, last factor fastest, in blocks of 225: all poses and thicknesses of one digit and style."""
    pose = np.indices(tuple(DIGIT_SIZES.values())[2:]).reshape(3, -1).T
    for digit, style in product(range(DIGIT_SIZES["digit"]), range(DIGIT_SIZES["style"])):
        drawing = np.broadcast_to(np.array([digit, style]), (len(pose), 2))
        yield render_digits(np.concatenate([drawing, pose], axis=1))


def _ink(
    distance: Float64[np.ndarray, "image 32 32"], thickness: Float64[np.ndarray, " image"]
) -> UInt8[np.ndarray, "image 32 32"]:
    covered = np.clip(0.5 + thickness[:, None, None] / 2 - distance, 0, 1)
    return np.rint(255 * covered).astype(np.uint8)


def _stroke_distances(
    digit: int, style: int, *, rotation: Int[np.ndarray, " pose"], slant: Int[np.ndarray, " pose"]
) -> Float64[np.ndarray, "pose 32 32"]:
    """Pixels from each pixel's centre to the nearest stroke."""
    strokes = [_bend(stroke, style) for stroke in digit_strokes()[digit]]
    x, y = _pose(np.concatenate(strokes), rotation, slant)
    last_of_stroke = np.cumsum([len(stroke) for stroke in strokes]) - 1
    nearest = np.full((len(rotation), IMAGE_SIDE, IMAGE_SIDE), np.inf)
    for start in np.setdiff1d(np.arange(x.shape[1]), last_of_stroke):
        segment = (values[:, start + end, None, None] for values in (x, y) for end in (0, 1))
        np.minimum(nearest, _squared_distance(*segment), out=nearest)
    return np.sqrt(nearest)


def _bend(stroke: Stroke, style: int) -> Stroke:
    """Points of the plane as that style draws them: a random cubic map near the identity; style 0 changes nothing."""
    generator = np.random.default_rng(2024)
    amounts = generator.uniform(-1, 1, size=(DIGIT_SIZES["style"] - 1, 2, 6))
    aspects = np.array([0.8, 1.12, 0.92, 1.06, 0.72])
    if style == 0:
        return stroke
    x, y = (2 * stroke - 1).T
    shapes = np.stack([x * y, x**2, y**2, x * y**2 * 1.5, x**2 * y * 1.5, y * (1 - y**2) * 1.5])
    shift_x, shift_y = (0.16 * amounts[style - 1][:, :, None] * shapes).sum(axis=1)
    return np.stack([(1 + aspects[style - 1] * (x + shift_x)) / 2, (1 + y + shift_y) / 2], axis=1)


def _pose(
    points: Stroke, rotation: Int[np.ndarray, " pose"], slant: Int[np.ndarray, " pose"]
) -> tuple[Float64[np.ndarray, "pose point"], Float64[np.ndarray, "pose point"]]:
    """Column and row of the sheared and turned points, their bounding box in the middle of the picture."""
    angle = ROTATIONS[rotation][:, None]
    up = HEIGHT * (points[:, 1] - 0.5)
    right = HEIGHT * (points[:, 0] - 0.5) + SLANTS[slant][:, None] * up
    column = right * np.cos(angle) - up * np.sin(angle)
    row = -right * np.sin(angle) - up * np.cos(angle)
    return _centre(column), _centre(row)


def _centre(place: Float64[np.ndarray, "pose point"]) -> Float64[np.ndarray, "pose point"]:
    middle = (place.min(axis=1, keepdims=True) + place.max(axis=1, keepdims=True)) / 2
    # The last bits of sines depend on the processor; those kept here do not.
    return np.rint(SUBPIXELS * (place - middle + IMAGE_SIDE / 2)) / SUBPIXELS


def _squared_distance(
    x0: Float64[np.ndarray, "pose 1 1"],
    x1: Float64[np.ndarray, "pose 1 1"],
    y0: Float64[np.ndarray, "pose 1 1"],
    y1: Float64[np.ndarray, "pose 1 1"],
) -> Float64[np.ndarray, "pose 32 32"]:
    """From the pixel centres to the segment from (x0, y0) to (x1, y1)."""
    centre = np.arange(IMAGE_SIDE) + 0.5
    across, down = centre - x0, centre[:, None] - y0
    length_x, length_y = x1 - x0, y1 - y0
    part = (across * length_x + down * length_y) / (length_x**2 + length_y**2)
    np.clip(part, 0, 1, out=part)
    return (across - part * length_x) ** 2 + (down - part * length_y) ** 2
