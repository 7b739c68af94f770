"""Many images as one picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.labels import as_label

_GAP = 2
_SHADE = 0.6
_PIXELS_PER_INCH = 75
_INCHES_PER_LETTER = 0.085  # of ten points, the widest ones aside


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
    row_labels, column_labels = [as_label(text, 80) for text in row_labels], [as_label(text) for text in column_labels]
    title = as_label(title, most=120)
    picture = tile(images)
    left = 0.2 + _INCHES_PER_LETTER * max(map(len, row_labels), default=0)
    top, bottom = (0.3 if column_labels else 0.05), (0.35 if title else 0.05)
    widest = 1 + max(map(len, column_labels), default=0)  # of the labels of small images, which stay apart
    pixels_per_inch = min(_PIXELS_PER_INCH, (width + _GAP) / (_INCHES_PER_LETTER * widest))
    across, down = picture.shape[1] / pixels_per_inch, picture.shape[0] / pixels_per_inch
    right = max(0.1, _INCHES_PER_LETTER * len(title) - across)
    size = (left + across + right, bottom + down + top)
    figure = Figure(figsize=size)
    # in its place from the start: finding one that fits would draw everything twice
    axes = figure.add_axes((left / size[0], bottom / size[1], across / size[0], down / size[1]))
    axes.imshow(picture, interpolation="nearest", aspect="auto")
    axes.set_yticks([(height + _GAP) * (row + 0.5) - 1.5 for row in range(rows)], row_labels)
    axes.set_xticks([(width + _GAP) * (column + 0.5) - 1.5 for column in range(len(column_labels))], column_labels)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_xlabel(title, loc="left")
    return figure
