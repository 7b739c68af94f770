"""The plots of a report. A plot that does not apply is not made; one that leaves something out says so below."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from disent_runner.machine.files import write_whole
from disent_runner.machine.texts import file_stem
from disent_runner.report.plots.scatters import (
    reconstruction_against_disentanglement,
    target_return_against_numbers,
    total_correlation_against_gap,
    udr_against_numbers,
)
from disent_runner.report.plots.style import CHARACTER, PALETTE, Drawing, bars_figure, png, styled
from disent_runner.report.plots.sweeps import sweep
from disent_runner.report.plots.views import View
from disent_runner.report.report import Plot

MOST_VIEWS, MOST_BARS = 4, 30
FEWEST_FOR_RANKS = 4
"""Runs below which a rank correlation says nothing."""
UDR_DRAWN = "lasso paper"

Drawer = Callable[[View, str], Drawing | None]
"""Draws a subject of a view, a number or a key; None where it does not apply."""


class Plotter:
    """Draws into a folder in other processes, while this one goes on."""

    def __init__(self, processes: Executor, out: Path) -> None:
        self._processes, self._out = processes, out
        self._plots: list[Future[Plot | None]] = []

    def start(self, views: Sequence[View]) -> None:
        """All that needs no UDR."""
        for view in views:
            for key in dict.fromkeys(key for setting in view.settings for key in setting.swept):
                self._draw(sweep, view, key)
            for drawer in (
                reconstruction_against_disentanglement,
                total_correlation_against_gap,
                target_return_against_numbers,
                rank_correlation,
            ):
                self._draw(drawer, view, "")
            for number in view.numbers:
                self._draw(distribution, view, number)

    def start_udr(self, views: Sequence[View], udr: Mapping[Path, float]) -> None:
        for view in views:
            self._draw(udr_against_numbers, dataclasses.replace(view, udr=udr), "")

    def finish(self) -> list[Plot]:
        """Wait for the plots; in the order in which they were started."""
        return [plot for plot in (future.result() for future in self._plots) if plot is not None]

    def _draw(self, drawer: Drawer, view: View, subject: str) -> None:
        self._plots.append(self._processes.submit(draw, drawer, view, subject, self._out))


def draw(drawer: Drawer, view: View, subject: str, out: Path) -> Plot | None:
    """Write one plot into the folder `out`, if it applies."""
    with styled():
        drawing = drawer(view, subject)
        if drawing is None:
            return None
        path = out / f"{view.prefix}{drawing.name}.png"
        write_whole(path, png(drawing.figure))
    return Plot(path, f"{drawing.title}: {view.title}", drawing.caption)


def distribution(view: View, number: str) -> Drawing | None:
    """A number's seeds for each setting."""
    if sum(len(setting.runs) for setting in view.settings) < 2:
        return None
    bars = [(setting.label, setting.values(number)) for setting in view.settings if setting.values(number)]
    best, clause = _most_telling(bars, view.directions.get(number))
    caption = f"{view.axis(number)} by setting: seeds (points), median (mark), quartiles (box), range (line){clause}."
    figure = _distribution(view.axis(number), best)
    return Drawing(f"distribution_{file_stem(number)}", f"{number} by setting", caption, figure)


def _most_telling(
    bars: list[tuple[str, list[float]]], direction: str | None
) -> tuple[list[tuple[str, list[float]]], str]:
    """The settings with the best means, in the table's order, and a clause on those that do not fit."""
    if len(bars) <= MOST_BARS:
        return bars, ""
    sign = {"higher": -1, "lower": 1}.get(direction or "", 0)
    best = sorted(range(len(bars)), key=lambda place: sign * float(np.mean(bars[place][1])))[:MOST_BARS]
    reason = "the best means" if direction else "the first rows of the table"
    return [bars[place] for place in sorted(best)], f"; of {len(bars)} settings the {MOST_BARS} with {reason}"


def _distribution(axis: str, bars: Sequence[tuple[str, list[float]]]) -> Figure:
    names = [label for label, _ in bars]
    figure, axes = bars_figure(len(bars), names)
    places = range(len(bars), 0, -1)
    low, middle, high = np.array([np.quantile(values, (0.25, 0.5, 0.75)) for _, values in bars]).T
    heights = np.array(places, dtype=float)
    axes.hlines(
        heights, [min(values) for _, values in bars], [max(values) for _, values in bars], "#999999", linewidth=1
    )
    axes.hlines(heights, low, high, "#a9cde4", linewidth=10)
    axes.plot(middle, heights, "|", color=PALETTE[1], markersize=10, markeredgewidth=2)
    points = np.concatenate([values for _, values in bars])
    beside = np.concatenate(
        [place + 0.16 * np.resize([0, 1, -1], len(values)) for place, (_, values) in zip(places, bars, strict=True)]
    )
    axes.plot(points, beside, "o", color=PALETTE[0], markersize=3.5, alpha=0.7, markeredgewidth=0)
    axes.set_yticks(list(places), names)
    axes.set_ylim(0.4, len(bars) + 0.6)
    axes.set_xlabel(axis)
    return figure


def rank_correlation(view: View, _: str) -> Drawing | None:
    """Spearman correlation of every two numbers over runs, as in Locatello et al. 2019, figure 2."""
    runs = [run.values for run in view.runs()]
    numbers = [number for number in view.numbers if sum(number in values for values in runs) >= FEWEST_FOR_RANKS]
    if len(numbers) < 2:
        return None
    ranks = pd.DataFrame(runs, columns=numbers).corr("spearman", min_periods=FEWEST_FOR_RANKS)
    figure = _matrix_figure(np.asarray(ranks), [view.axis(number) for number in numbers])
    caption = f"Spearman's rank correlation of every two numbers over {len(runs)} runs; – where a number is constant."
    return Drawing("rank_correlation", "Rank correlation of numbers", caption, figure)


def _matrix_figure(matrix: Float[np.ndarray, "number number"], names: Sequence[str]) -> Figure:
    """Coloured cells with their values in them."""
    size, margin = 0.5 * len(names), max(map(len, names)) * CHARACTER + 0.2
    width = height = margin + size + 0.3
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((margin / width, margin / height, size / width, size / height))
    axes.grid(visible=False)
    axes.imshow(matrix, vmin=-1, vmax=1, cmap="PuOr_r")
    for row, column in np.ndindex(*matrix.shape):
        value = matrix[row, column]
        text, colour = "–" if math.isnan(value) else f"{value:.2f}", "white" if abs(value) > 0.65 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    return figure
