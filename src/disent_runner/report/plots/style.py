"""How plots look: sizes in inches, panels, axes, and colours that all eyes tell apart (Okabe & Ito 2008)."""

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from disent_runner.machine.texts import printable

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "figure.facecolor": "white",
    "text.parse_math": False,  # a name is no formula, whatever is in it
}
MOST_PANELS = 24
"""In one figure."""
MOST_LETTERS = 80
"""Of a label, whose length a picture grows with."""
CHARACTER = 0.073
"""Width of one in labels, at most: inches."""
_PER_INCH = 110


class Drawing(NamedTuple):
    """A figure, and what is said of it."""

    name: str
    """of its file, without ending"""
    title: str
    caption: str
    figure: Figure


def panels(count: int, *, width: float = 3.5, height: float = 2.6, legend: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes, three in a row, and room for labels around each and a legend above."""
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    top = 0.3 + (0.45 if legend else 0.0)
    whole_width, whole_height = columns * width, rows * height + top
    figure = Figure(figsize=(whole_width, whole_height))
    grid = figure.add_gridspec(
        rows,
        columns,
        left=0.75 / whole_width,
        right=1 - 0.15 / whole_width,
        bottom=0.55 / whole_height,
        top=1 - top / whole_height,
        wspace=0.85 / (width - 0.85),
        hspace=0.85 / (height - 0.85),
    )
    return figure, [figure.add_subplot(grid[place // columns, place % columns]) for place in range(count)]


def bars_figure(num_bars: int, labels: Iterable[str], *, width: float = 5.0) -> tuple[Figure, Axes]:
    """A figure with one axes, whose left margin holds the labels of so many horizontal bars."""
    margin = max(map(len, labels)) * CHARACTER + 0.25
    whole_width, whole_height = width + margin + 0.2, 0.9 + 0.27 * num_bars + 0.25
    figure = Figure(figsize=(whole_width, whole_height))
    box = (margin / whole_width, 0.55 / whole_height, width / whole_width, (0.27 * num_bars + 0.25) / whole_height)
    return figure, figure.add_axes(box)


def legend_above(figure: Figure, labels: Sequence[str], styles: Sequence[dict[str, Any]]) -> None:
    """One line of markers above all panels."""
    labels = [printable(label, MOST_LETTERS) for label in labels]
    handles = [Line2D([], [], label=label, **style) for label, style in zip(labels, styles, strict=True)]
    longest = max(len(label) for label in labels)
    per_row = max(1, int(figure.get_figwidth() / ((longest + 5) * CHARACTER)))
    figure.legend(handles=handles, loc="upper center", ncols=min(len(handles), per_row), frameon=False)


def marker_style(place: int, **more: Any) -> dict[str, Any]:
    """The same colour and form wherever something has this place, and both together nowhere else: 49 pairs."""
    turns = place // len(PALETTE)
    return {
        "color": PALETTE[place % len(PALETTE)],
        "marker": MARKERS[(place + turns) % len(MARKERS)],
        "markersize": 5,
        "linestyle": "none",
        **more,
    }


def shrunk(size: float, count: int) -> float:
    """The size of one of so many markers: as they are up to 100, then smaller, down to a third."""
    return size * max(1 / 3, min(1.0, math.sqrt(100 / max(count, 1))))


def value_ticks(axes: Axes, values: Iterable[float], texts: Iterable[str]) -> None:
    """Ticks at the swept values themselves, those that fit; a logarithmic axis where they span much."""
    candidates = sorted(dict(zip(values, texts, strict=True)).items())
    positions = [value for value, _ in candidates]
    if positions[0] > 0 and positions[-1] / positions[0] >= 8:
        axes.set_xscale("log")
        places = np.log(positions)
    else:
        places = np.array(positions)
    ticks, last = [], -math.inf
    for tick, place in zip(candidates, (places - places[0]) / max(np.ptp(places), 1e-12) * 2.5, strict=True):
        if place - last >= (len(tick[1]) + 1) * CHARACTER:  # inches of an axis
            ticks.append(tick)
            last = place
    axes.set_xticks([value for value, _ in ticks], [text for _, text in ticks])
    axes.minorticks_off()


def png(figure: Figure) -> bytes:
    """The picture of a figure that was made within `styled`."""
    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", dpi=_PER_INCH)
    return content.getvalue()


def styled() -> Any:
    """Context in which figures get this module's look."""
    return mpl.rc_context(STYLE)
