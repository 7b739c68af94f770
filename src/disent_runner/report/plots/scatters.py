"""One number against another, a marker for each run."""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disent_runner.report.labels import shown
from disent_runner.report.plots.style import MOST_PANELS, Drawing, legend_above, marker_style, panels, shrunk
from disent_runner.report.plots.views import RunNumbers, View
from disent_runner.report.udr import spearman

_TOTAL_CORRELATIONS = ("total_correlation", "gaussian_total_correlation")
_GAPS = ("mig", "mig_exact")
_TRANSFER = "target_return"
_OF_AGENTS = ("source_return", "transfer_ratio")
_ERRORS = {"reconstruction": "nats per image", "reconstruction_mse": "squared error per number of the image"}
_LARGEST_MARKER = 260.0  # square points


def reconstruction_against_disentanglement(view: View, _: str) -> Drawing | None:
    """Each number that had better be higher against the reconstruction error, as in Kim & Mnih 2018, figure 4."""
    error = next((number for number in _ERRORS if number in view.numbers), None)
    if error is None:
        return None
    x = {run.folder: run.values[error] for run in view.runs() if error in run.values}
    figure = _scatters(view, x, view.axis(error), without={error})
    if figure is None:
        return None
    caption = f"Each number against {error} ({_ERRORS[error]}), a marker per run, its colour and form the model's."
    name, title = "reconstruction_against_disentanglement", "Reconstruction against disentanglement"
    return Drawing(name, title, caption, figure)


def udr_against_numbers(view: View, _: str) -> Drawing | None:
    """Each number that had better be higher against UDR, with their rank correlation."""
    figure = _scatters(view, view.udr, "UDR (lasso, paper's formula)", with_ranks=True)
    if figure is None:
        return None
    caption = "Each number against UDR, which needs no labels; ρ is Spearman's rank correlation over the runs."
    return Drawing("udr_against_metrics", "UDR against metrics", caption, figure)


def target_return_against_numbers(view: View, _: str) -> Drawing | None:
    """Each number that had better be higher against what agents come to in the target, as Higgins et al. 2017 (DARLA)
    hold transfer against disentanglement.
    """
    x = {run.folder: run.values[_TRANSFER] for run in view.runs() if _TRANSFER in run.values}
    figure = _scatters(view, x, view.axis(_TRANSFER), without={_TRANSFER, *_OF_AGENTS}, with_ranks=True)
    if figure is None:
        return None
    caption = f"Each number against {_TRANSFER}; ρ is Spearman's rank correlation over the runs."
    return Drawing("target_return_against_metrics", "Transfer against metrics", caption, figure)


def _scatters(
    view: View, x: Mapping[Path, float], x_label: str, *, without: Collection[str] = (), with_ranks: bool = False
) -> Figure | None:
    """A panel for each number of which more is better (or of all, where none says), a marker for each run."""
    runs = [(x[run.folder], run) for run in view.runs() if run.folder in x]
    candidates = [number for number in view.numbers if number not in without]
    numbers = ([number for number in candidates if view.directions[number] == "higher"] or candidates)[:MOST_PANELS]
    numbers = [number for number in numbers if any(number in run.values for _, run in runs)]
    if len(runs) < 2 or not numbers:
        return None
    figure, panel_axes = panels(len(numbers), legend=len(view.models) > 1)
    for number, axes in zip(numbers, panel_axes, strict=True):
        points = [(run.model, at, run.values[number]) for at, run in runs if number in run.values]
        _scatter(axes, points, view.places)
        rank = spearman([at for _, at, _ in points], [value for _, _, value in points]) if with_ranks else math.nan
        ending = "" if math.isnan(rank) else f"   ρ = {rank:.2f}, n = {len(points)}"
        axes.set_title(view.axis(number) + ending)
        axes.set_xlabel(x_label)
    if len(view.models) > 1:
        legend_above(figure, view.models, [marker_style(view.places[model]) for model in view.models])
    return figure


def _scatter(axes: Axes, points: Sequence[tuple[str, float, float]], places: Mapping[str, int]) -> None:
    """Model, x and y of each point; a colour and form for each model."""
    size = shrunk(5, len(points))
    for model, place in places.items():
        pairs = [(x, y) for name, x, y in points if name == model]
        if pairs:
            style = marker_style(place, alpha=0.7, markeredgewidth=0, markersize=size)
            axes.plot(*zip(*pairs, strict=True), **style)
    axes.locator_params(nbins=5)


def total_correlation_against_gap(view: View, _: str) -> Drawing | None:
    """MIG against total correlation with markers as large as β, as in Chen et al. 2018, figure 4."""
    gap = next((number for number in _GAPS if number in view.numbers), None)
    candidates = [run for run in view.runs() if run.beta and gap in run.values]
    name, correlations = _total_correlations(view, candidates)
    markers = [
        Marker(run.model, correlations[run.folder], run.values[gap], run.beta)
        for run in candidates
        if gap and run.beta and run.folder in correlations
    ]
    if gap is None or len(markers) < 2:
        return None
    figure, axes = _bubbles(view, markers)
    axes.set_xlabel(f"{name} (nats)")
    axes.set_ylabel(view.axis(gap))
    caption = f"{gap} against {name}, a marker per run, its area in proportion to β."
    return Drawing("total_correlation_against_mig", "Total correlation against MIG", caption, figure)


class Marker(NamedTuple):
    """A run in the picture of total correlation and MIG."""

    model: str
    x: float
    y: float
    beta: float


def _bubbles(view: View, markers: Sequence[Marker]) -> tuple[Figure, Axes]:
    """A colour and form for each model, areas of markers in proportion to β, and a legend of both."""
    betas = sorted({marker.beta for marker in markers})
    per_beta = shrunk(_LARGEST_MARKER, len(markers)) / betas[-1]
    figure, (axes,) = panels(1, width=6.0, height=4.2, legend=True)
    models = [model for model in view.models if any(marker.model == model for marker in markers)]
    styles = [marker_style(view.places[model]) for model in models]
    for model, style in zip(models, styles, strict=True):
        _, x, y, beta = zip(*(marker for marker in markers if marker.model == model), strict=True)
        look = {"color": style["color"], "marker": style["marker"], "alpha": 0.55, "linewidths": 0}
        axes.scatter(x, y, s=per_beta * np.array(beta), **look)
    examples = [betas[place] for place in sorted({round(at) for at in np.linspace(0, len(betas) - 1, 4)})]
    grey = {"marker": "o", "color": "#777777", "alpha": 0.55}
    styles += [marker_style(0, **grey, markersize=math.sqrt(per_beta * beta)) for beta in examples]
    legend_above(figure, [*models, *(f"β = {shown(beta)}" for beta in examples)], styles)
    return figure, axes


def _total_correlations(view: View, runs: Sequence[RunNumbers]) -> tuple[str, dict[Path, float]]:
    """What it is called, and its value by run: a metric's, never one of train.csv, where objectives are no nats."""
    for number in _TOTAL_CORRELATIONS:
        values = {run.folder: run.values[number] for run in runs if number in run.values}
        if len(values) > 1:
            return view.axis(number), values
    return "", {}
