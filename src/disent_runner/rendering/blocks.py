"""Square blocks of grey on black: the pictures of the grid of Independently Controllable Factors."""

import numpy as np
from jaxtyping import Integer, UInt8

BLOCK_SIDE = 2
GRID_SIDE = 12
_OFFSETS = np.arange(BLOCK_SIDE)


def draw_blocks(
    corners: Integer[np.ndarray, "image block 2"], levels: Integer[np.ndarray, "image block"], *, scale: int = 1
) -> UInt8[np.ndarray, "image height width 1"]:
    """Pictures of 12x12 pixels, each `scale` pixels wide, with a block of 2x2 at each corner (x, y), 0 to 10 from the
    upper left; later blocks lie over earlier ones.
    """
    images = np.zeros((len(corners), GRID_SIDE, GRID_SIDE), np.uint8)
    rows = np.arange(len(corners))[:, None, None]
    for block in range(corners.shape[1]):
        across = corners[:, block, 0, None, None] + _OFFSETS
        down = corners[:, block, 1, None, None] + _OFFSETS[:, None]
        images[rows, down, across] = levels[:, block, None, None]
    return images.repeat(scale, axis=1).repeat(scale, axis=2)[..., None]
