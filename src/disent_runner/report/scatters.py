"""One number against another, a marker for each run."""

import csv
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from disent_runner.report.drawing import MOST_PANELS, PALETTE, Drawn, legend_above, marker_style, panels, shrunk
from disent_runner.report.settings import shown
from disent_runner.report.udr import spearman
from disent_runner.report.views import RunNumbers, View

_TOTAL_CORRELATIONS = ("total_correlation", "gaussian_total_correlation")
_GAPS = ("mig", "mig_exact")
_ERRORS = {"reconstruction": "nats per image", "reconstruction_mse": "squared error per number of the image"}
_LARGEST_MARKER = 260.0  # square points


def reconstruction_against_disentanglement(view: View, _: str) -> Drawn | None:
    """Each number that had better be higher against the reconstruction error, as in Kim & Mnih 2018, figure 4."""
    error = next((number for number in _ERRORS if number in view.numbers), None)
    if error is None:
        return None
    x = {run.folder: run.values[error] for run in view.runs() if error in run.values}
    figure = _scatters(view, x, view.axis(error), without={error})
    if figure is None:
        return None
    name, title = "reconstruction_against_disentanglement", "Reconstruction against disentanglement"
    return name, title, f"Each number against {error} ({_ERRORS[error]}), a marker per run, coloured by model.", figure


def udr_against_numbers(view: View, _: str) -> Drawn | None:
    """Each number that had better be higher against UDR, with their rank correlation."""
    figure = _scatters(view, view.udr, "UDR (lasso, paper's formula)", with_ranks=True)
    if figure is None:
        return None
    what = "Each number against UDR, which needs no labels; ρ is Spearman's rank correlation over the runs."
    return "udr_against_metrics", "UDR against metrics", what, figure


def _scatters(
    view: View, x: Mapping[Path, float], x_label: str, *, without: Collection[str] = (), with_ranks: bool = False
) -> Figure | None:
    """A panel for each number of which more is better (or of all, where none says), a marker for each run."""
    rest = [number for number in view.numbers if number not in without]
    numbers = ([number for number in rest if view.directions[number] == "higher"] or rest)[:MOST_PANELS]
    runs = [(x[run.folder], run) for run in view.runs() if run.folder in x]
    numbers = [number for number in numbers if any(number in run.values for _, run in runs)]
    if len(runs) < 2 or not numbers:
        return None
    figure, axes = panels(len(numbers), legend=len(view.models) > 1)
    for number, each in zip(numbers, axes, strict=True):
        points = [(run.model, at, run.values[number]) for at, run in runs if number in run.values]
        for place, model in enumerate(view.models):
            own = [(at, value) for of, at, value in points if of == model]
            if own:
                size = shrunk(5, len(points))
                style = marker_style(place, alpha=0.7, markeredgewidth=0, markersize=size)
                each.plot(*zip(*own, strict=True), **style)
        rank = spearman([at for _, at, _ in points], [value for _, _, value in points]) if with_ranks else math.nan
        ending = "" if math.isnan(rank) else f"   ρ = {rank:.2f}, n = {len(points)}"
        each.set_title(view.axis(number) + ending)
        each.set_xlabel(x_label)
        each.locator_params(nbins=5)
    if len(view.models) > 1:
        legend_above(figure, view.models, [marker_style(place) for place in range(len(view.models))])
    return figure


def total_correlation_against_gap(view: View, _: str) -> Drawn | None:
    """MIG against total correlation with markers as large as β, as in Chen et al. 2018, figure 4."""
    gap = next((number for number in _GAPS if number in view.numbers), None)
    with_beta = [(run, run.beta) for run in view.runs() if run.beta and gap in run.values]
    name, correlation = _total_correlation(view, [run for run, _ in with_beta])
    drawn = [(run, beta) for run, beta in with_beta if run.folder in correlation]
    if gap is None or len(drawn) < 2:
        return None
    per_beta = shrunk(_LARGEST_MARKER, len(drawn)) / max(beta for _, beta in drawn)
    figure, (axes,) = panels(1, width=6.0, height=4.2, legend=True)
    models = [model for model in view.models if any(run.model == model for run, _ in drawn)]
    for model in models:
        own = [(correlation[run.folder], run.values[gap], per_beta * beta) for run, beta in drawn if run.model == model]
        x, y, area = zip(*own, strict=True)
        axes.scatter(x, y, s=area, color=_colour(view, model), alpha=0.55, linewidths=0)
    betas = sorted({beta for _, beta in drawn})
    told = [betas[place] for place in sorted({round(at) for at in np.linspace(0, len(betas) - 1, 4)})]
    grey = {"marker": "o", "color": "#777777", "alpha": 0.55}
    styles = [marker_style(0, marker="o", color=_colour(view, model)) for model in models]
    styles += [marker_style(0, **grey, markersize=math.sqrt(per_beta * beta)) for beta in told]
    legend_above(figure, [*models, *(f"β = {shown(beta)}" for beta in told)], styles)
    axes.set_xlabel(f"{name} (nats)")
    axes.set_ylabel(view.axis(gap))
    what = f"{gap} against {name}, a marker per run, its area in proportion to β."
    return "total_correlation_against_mig", "Total correlation against MIG", what, figure


def _colour(view: View, model: str) -> str:
    return PALETTE[view.models.index(model) % len(PALETTE)]


def _total_correlation(view: View, runs: Sequence[RunNumbers]) -> tuple[str, dict[Path, float]]:
    """What it is called, and its value by run: a metric's, or, where no metric has it, the last of train.csv."""
    for number in _TOTAL_CORRELATIONS:
        found = {run.folder: run.values[number] for run in runs if number in run.values}
        if len(found) > 1:
            return view.axis(number), found
    column = "total_correlation_minibatch"
    last = {run.folder: _last_value(run.folder / "train.csv", column) for run in runs}
    return f"{column} of train.csv", {folder: value for folder, value in last.items() if value is not None}


def _last_value(path: Path, column: str) -> float | None:
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return float(rows[-1][column])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
