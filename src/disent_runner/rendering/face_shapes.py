"""Smooth shapes of which the toy faces are made; sums, products, quotients and roots only, equal on every machine."""

import numpy as np
from jaxtyping import Float


def bump(x: np.ndarray, y: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    """1 in the middle, smoothly down to 0 at the edge of the ellipse."""
    across, down = x / half_width, y / half_height
    inside = np.maximum(0, 1 - across * across - down * down)
    return inside * inside * (3 - 2 * inside)


def rise(value: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to the start, 1 from the end on, smooth between."""
    share = np.clip((value - start) / (end - start), 0, 1)
    return share * share * (3 - 2 * share)


def unit_vectors(across: Float[np.ndarray, "row 1"], around: Float[np.ndarray, " column"]) -> np.ndarray:
    """Directions by their angle from the plane x = 0 and their angle around the x axis, 0 at z."""
    # Rounded, so that libraries that differ in the last bit of a sine give the same directions.
    sine, cosine = (np.rint(2.0**24 * value(across)) / 2.0**24 for value in (np.sin, np.cos))
    y, z = (np.rint(2.0**24 * value(around)) / 2.0**24 for value in (np.sin, np.cos))
    return np.stack([sine + 0 * y, cosine * y, cosine * z])
