"""A Gaussian blob at the positions that dSprites uses: the simplest set with two factors."""

import numpy as np
from jaxtyping import Float64, Integer, UInt8

from disent_runner.rendering.checks import check_range

BLOB_SIZES = {"pos_x": 32, "pos_y": 32}
IMAGE_SIDE = 64
SIGMA = 4.0  # pixels: in the outermost positions the border, four of them away, is still black
PROFILE_STEPS = 2.0**40


def render_blobs(factors: Integer[np.ndarray, "image 2"]) -> UInt8[np.ndarray, "image 64 64"]:
    """Images of rows of value indices (pos_x, pos_y), in any order: 0 is left, or at the top.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, BLOB_SIZES)
    profile = _profiles()
    across, down = profile[factors[:, 0]], profile[factors[:, 1]]
    return np.rint(255 * down[:, :, None] * across[:, None, :]).astype(np.uint8)


def _profiles() -> Float64[np.ndarray, "position 64"]:
    """The bell curve through the 64 pixel centres for each of the 32 positions of its middle."""
    middle = 16 + 32 * np.arange(32) / 31
    distance = np.arange(IMAGE_SIDE) + 0.5 - middle[:, None]
    curve = np.exp(-(distance**2) / (2 * SIGMA**2))
    # The last bits of an exponential depend on the processor; those kept here do not.
    return np.rint(curve * PROFILE_STEPS) / PROFILE_STEPS
