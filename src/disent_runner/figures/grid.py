"""Many images as one picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

_GAP = 2
_SHADE = 0.6


def tile(images: np.ndarray) -> np.ndarray:
    """(rows, columns, C, H, W) in [0, 1] -> one (height, width, 3) uint8 picture with grey lines between."""
    rows, columns, channels, height, width = images.shape
    canvas = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, channels), _SHADE)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + _GAP), column * (width + _GAP)
            canvas[top : top + height, left : left + width] = np.moveaxis(images[row, column], 0, -1)
    colour = np.broadcast_to(canvas, (*canvas.shape[:2], 3))
    return np.rint(colour.clip(0, 1) * 255).astype(np.uint8)


def labelled_grid(
    images: np.ndarray, *, row_labels: Sequence[str], column_labels: Sequence[str] = (), title: str = ""
) -> Figure:
    """A grid of images, (rows, columns, C, H, W), with a label at each row and above each column."""
    rows, _, _, height, width = images.shape
    picture = tile(images)
    figure = Figure(figsize=(picture.shape[1] / 75 + 1, picture.shape[0] / 75))
    axes = figure.add_subplot()
    axes.imshow(picture, interpolation="nearest")
    axes.set_yticks([(height + _GAP) * (row + 0.5) - 1.5 for row in range(rows)], row_labels)
    axes.set_xticks([(width + _GAP) * (column + 0.5) - 1.5 for column in range(len(column_labels))], column_labels)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_xlabel(title)
    return figure
