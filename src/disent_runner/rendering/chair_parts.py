"""The boxes that the chairs of `chairs.py` are built from; lengths in metres.

x goes to the right of someone who looks at the chair's front, y to the back, z up; the floor is z = 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

SEAT_WIDTHS = (0.36, 0.44, 0.52, 0.6, 0.68, 0.76)
SEAT_DEPTH = 0.48
SEAT_THICKNESS = 0.06
SEAT_TOP = 0.46
UNDER_SEAT = SEAT_TOP - SEAT_THICKNESS
BACK_HEIGHT = 0.54
SEAT_COLOUR, BACK_COLOUR, LEG_COLOUR = 0.95, 0.86, 0.62


@dataclass(frozen=True)
class Box:
    centre: Float64[np.ndarray, "3"]
    half_sides: Float64[np.ndarray, "3"]
    axes: Float64[np.ndarray, "3 3"]  # its rows are the directions of the box's sides
    colour: float  # share of the light that it reflects


def chair_boxes(legs: int, width: int, back: int) -> list[Box]:
    """The boxes of one chair: seat, back, legs."""
    wide = SEAT_WIDTHS[width]
    seat = upright((0, 0, SEAT_TOP - SEAT_THICKNESS / 2), (wide, SEAT_DEPTH, SEAT_THICKNESS), SEAT_COLOUR)
    return [seat, *BACKS[back](wide), *LEGS[legs](wide)]


def upright(centre: tuple[float, float, float], sides: tuple[float, float, float], colour: float) -> Box:
    return Box(np.array(centre, dtype=np.float64), np.array(sides) / 2, np.eye(3), colour)


def beam(start: tuple[float, float, float], end: tuple[float, float, float], *, side: float) -> Box:
    """A leg of square section between two points on its middle line."""
    first, last = np.array(start, dtype=np.float64), np.array(end, dtype=np.float64)
    along = last - first
    length = math.sqrt((along * along).sum())
    along /= length
    helper = np.array([1.0, 0.0, 0.0]) if abs(along[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    across = np.cross(along, helper)
    across /= math.sqrt((across * across).sum())
    axes = np.stack([np.cross(across, along), across, along])
    return Box((first + last) / 2, np.array([side, side, length]) / 2, axes, LEG_COLOUR)


def straight_legs(wide: float) -> list[Box]:
    side = 0.05
    x, y = (wide - side) / 2 - 0.01, (SEAT_DEPTH - side) / 2 - 0.01
    return [
        upright((right * x, rear * y, UNDER_SEAT / 2), (side, side, UNDER_SEAT), LEG_COLOUR)
        for right in (-1, 1)
        for rear in (-1, 1)
    ]


def splayed_legs(wide: float) -> list[Box]:
    x, y = wide / 2, SEAT_DEPTH / 2
    return [
        beam(
            (right * (x - 0.09), rear * (y - 0.09), UNDER_SEAT),
            (right * (x + 0.04), rear * (y + 0.04), 0.01),
            side=0.034,
        )
        for right in (-1, 1)
        for rear in (-1, 1)
    ]


def pedestal(wide: float) -> list[Box]:
    """A column on a star of five feet, one of them to the front."""
    column = upright((0, 0, UNDER_SEAT / 2 + 0.02), (0.07, 0.07, UNDER_SEAT - 0.04), LEG_COLOUR)
    reach = 0.2 + 0.1 * wide
    angles = [2 * math.pi * number / 5 - math.pi / 2 for number in range(5)]
    feet = [
        beam((0.0, 0.0, 0.07), (reach * math.cos(angle), reach * math.sin(angle), 0.025), side=0.05) for angle in angles
    ]
    return [column, *feet]


def side_panels(wide: float) -> list[Box]:
    thickness = 0.045
    return [
        upright((right * (wide - thickness) / 2, 0, UNDER_SEAT / 2), (thickness, SEAT_DEPTH, UNDER_SEAT), LEG_COLOUR)
        for right in (-1, 1)
    ]


def back_panel(
    wide: float, lean: float, *, x: float = 0.0, low: float = 0.0, high: float = BACK_HEIGHT, thick: float = 0.045
) -> Box:
    """A board `wide` around x, from `low` to `high` above the seat along a back that leans by some degrees."""
    sine, cosine = math.sin(math.radians(lean)), math.cos(math.radians(lean))
    axes = np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    hinge = np.array([x, SEAT_DEPTH / 2 - 0.03, SEAT_TOP])
    return Box(hinge + (low + high) / 2 * axes[2], np.array([wide, thick, high - low]) / 2, axes, BACK_COLOUR)


def posts(wide: float, lean: float, *, thick: float = 0.045) -> list[Box]:
    return [back_panel(0.05, lean, x=right * (wide - 0.05) / 2, low=-0.03, thick=thick) for right in (-1, 1)]


# From the side the posts hide what is between them: another lean tells each style from the next there too.


def solid_back(wide: float) -> list[Box]:
    return [back_panel(wide, 6)]


def slatted_back(wide: float) -> list[Box]:
    slats = [back_panel(wide - 0.02, 13, low=low, high=low + 0.085, thick=0.028) for low in (0.13, 0.285, 0.44)]
    return [*posts(wide, 13), *slats]


def barred_back(wide: float) -> list[Box]:
    count = 3 + round((wide - 0.36) / 0.16)
    step = (wide - 0.05) / (count + 1)
    places = [step * (number - (count - 1) / 2) for number in range(count)]
    bars = [back_panel(0.03, 4, x=x, high=0.47, thick=0.026) for x in places]
    return [*posts(wide, 4), *bars, back_panel(wide - 0.02, 4, low=0.46, high=0.53, thick=0.04)]


def framed_back(wide: float) -> list[Box]:
    rails = [back_panel(wide - 0.02, 14, low=low, high=low + 0.08, thick=0.045) for low in (0.06, 0.46)]
    return [*posts(wide, 14, thick=0.06), *rails]


def low_back(wide: float) -> list[Box]:
    return [back_panel(wide, 8, high=0.22)]


LEGS: tuple[Callable[[float], list[Box]], ...] = (straight_legs, splayed_legs, pedestal, side_panels)
BACKS: tuple[Callable[[float], list[Box]], ...] = (solid_back, slatted_back, barred_back, framed_back, low_back)
