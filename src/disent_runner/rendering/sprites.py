"""The images of dSprites computed from their geometry: value indices in, binary images out.

The outlines and the rules of the rasteriser were fitted to published images of the data set (Matthey et al. 2017):
vertices are rounded to 1/256 pixel and a pixel is white when its centre is inside the polygon. A row of an image is one
64-bit word, first column in the highest bit; a polygon is the exclusive or, over the edges that cross the row, of
"every column from the crossing on".
"""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
from jaxtyping import Float, Int, Integer, UInt8, UInt64

from disent_runner.rendering.checks import check_range

SPRITE_SIZES = {"shape": 3, "scale": 6, "orientation": 40, "pos_x": 32, "pos_y": 32}
IMAGE_SIDE = 64
IMAGE_BYTES = IMAGE_SIDE * IMAGE_SIDE // 8
NUM_SPRITES = math.prod(SPRITE_SIZES.values())
SUBPIXELS = 256


def square_outline() -> Float[np.ndarray, "2 vertex"]:
    return np.array([[-1.0, 1.0, 1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])


def ellipse_outline() -> Float[np.ndarray, "2 vertex"]:
    angle = 2 * np.pi * np.arange(100) / 100
    return np.stack([1.33 * np.cos(angle), np.sin(angle) / 1.33])


def heart_outline() -> Float[np.ndarray, "2 vertex"]:
    angle = 2 * np.pi * np.arange(150) / 150
    height = 13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)
    return np.stack([np.sin(angle) ** 3, -height / 14.5 - 0.15])


OUTLINES = (square_outline, ellipse_outline, heart_outline)


def render_sprites(factors: Integer[np.ndarray, "image 5"]) -> UInt8[np.ndarray, "image 64 64"]:
    """Images (0 black, 1 white) of rows of value indices (shape, scale, orientation, pos_x, pos_y), in any order.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, SPRITE_SIZES)
    packed = np.empty((len(factors), IMAGE_BYTES), np.uint8)
    outlines, outline_of_image = np.unique(factors[:, :3], axis=0, return_inverse=True)
    for number, outline in enumerate(outlines):
        chosen = np.flatnonzero(outline_of_image.reshape(-1) == number)
        pos_x, column = np.unique(factors[chosen, 3], return_inverse=True)
        pos_y, row = np.unique(factors[chosen, 4], return_inverse=True)
        grid = _render_grid(*(int(value) for value in outline), pos_x=pos_x, pos_y=pos_y)
        packed[chosen] = grid[column, row].view(np.uint8)
    return np.unpackbits(packed, axis=1).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)


def render_all_packed() -> UInt8[np.ndarray, "image 512"]:
    """All 737,280 images in the order of the data set, one bit a pixel (`np.packbits` of each image's pixels)."""
    packed = np.empty((NUM_SPRITES, IMAGE_BYTES), np.uint8)
    start = 0
    for block in packed_blocks():
        packed[start : start + len(block)] = block
        start += len(block)
    return packed


def packed_blocks() -> Iterator[UInt8[np.ndarray, "position 512"]]:
    """The rows of `render_all_packed` in blocks of 1024: all positions of one shape, scale and orientation."""
    positions = np.arange(SPRITE_SIZES["pos_x"])
    for shape, scale, orientation in product(
        *(range(SPRITE_SIZES[name]) for name in ("shape", "scale", "orientation"))
    ):
        grid = _render_grid(shape, scale, orientation, pos_x=positions, pos_y=positions)
        yield grid.reshape(-1, IMAGE_SIDE).view(np.uint8)


def _render_grid(
    shape: int, scale: int, orientation: int, *, pos_x: Int[np.ndarray, " x"], pos_y: Int[np.ndarray, " y"]
) -> UInt64[np.ndarray, "x y 64"]:
    across, down = OUTLINES[shape]()
    radius = 9.6 * (0.5 + 0.1 * scale)
    angle = 2 * np.pi * orientation / 39  # the end point is included: orientation 39 looks like orientation 0
    x = radius * (across * np.cos(angle) + down * np.sin(angle))
    y = radius * (down * np.cos(angle) - across * np.sin(angle))
    return _fill_polygons(_snap(x, pos_x), _snap(y, pos_y))


def _snap(offset: Float[np.ndarray, " vertex"], position: Int[np.ndarray, " p"]) -> Int[np.ndarray, "p vertex"]:
    return np.rint(SUBPIXELS * (16 + 32 * position[:, None] / 31 + offset)).astype(np.int64)


def _fill_polygons(x: Int[np.ndarray, "x vertex"], y: Int[np.ndarray, "y vertex"]) -> UInt64[np.ndarray, "x y 64"]:
    """Rows of the polygons with vertices (x[i], y[j]), for all i and j at once, in the byte order of `np.packbits`.

    The colour changes at the first column whose centre is at or right of the point where an edge crosses the row.
    """
    polygon, start, row = _crossed_rows(y)
    end = (start + 1) % y.shape[1]
    height = (y[polygon, end] - y[polygon, start])[:, None].astype(np.float64)
    depth = (row * SUBPIXELS + SUBPIXELS // 2 - y[polygon, start])[:, None].astype(np.float64)
    left = np.ascontiguousarray(x.T - SUBPIXELS // 2, dtype=np.float64)
    # Exact: the numerator is a whole number below 2**53, and a quotient that is no whole number is far from one.
    crossing = (left[start] * (height - depth) + left[end] * depth) / (height * SUBPIXELS)
    column = np.ceil(crossing).astype(np.intp)

    line = polygon * IMAGE_SIDE + row
    first_of_line = np.flatnonzero(np.diff(line, prepend=-1))
    rows = np.zeros((len(y) * IMAGE_SIDE, len(x)), np.uint64)
    rows[line[first_of_line]] = np.bitwise_xor.reduceat(_columns_from()[column], first_of_line, axis=0)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(len(y), IMAGE_SIDE, len(x)), -1, 0))


def _crossed_rows(y: Int[np.ndarray, "y vertex"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(polygon, edge, row) of every crossing, ordered by polygon and row; edge e goes from vertex e to e + 1.

    An edge between y0 < y1 crosses the row if y0 < its centre <= y1.
    """
    row_above = (y - SUBPIXELS // 2) // SUBPIXELS  # the last row whose centre is at or above the vertex
    row_above_next = np.roll(row_above, -1, axis=1)
    polygon, edge = np.nonzero(row_above != row_above_next)
    repeats = np.abs(row_above_next - row_above)[polygon, edge]
    first = np.minimum(row_above, row_above_next)[polygon, edge] + 1
    row = np.repeat(first - np.cumsum(repeats) + repeats, repeats) + np.arange(repeats.sum())
    polygon, edge = np.repeat(polygon, repeats), np.repeat(edge, repeats)
    order = np.argsort(polygon * IMAGE_SIDE + row, kind="stable")
    return polygon[order], edge[order], row[order]


def _columns_from() -> UInt64[np.ndarray, "65"]:
    """Words with the columns from c to 63 set, c = 0 to 64, in the byte order of `np.packbits`."""
    bits = np.arange(IMAGE_SIDE) >= np.arange(IMAGE_SIDE + 1)[:, None]
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]
