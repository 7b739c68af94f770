"""What tests of plots share: views of written sweeps, and what is to be seen in a figure."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.making import read
from disent_runner.report.plots.style import Drawing, styled
from disent_runner.report.plots.views import View, views_of
from disent_runner.report.pooling import pool
from tests.report.folders import score, write_run

NUMBERS = ("mig", "sap", "reconstruction", "gaussian_total_correlation")


def write_sweep(folder: Path, betas: tuple[float, ...] = (1.0, 4.0, 16.0), seeds: int = 3, **facts: Any) -> None:
    rng = np.random.default_rng(0)
    for beta, seed in itertools.product(betas, range(seeds)):
        scores = [score(number, rng.random()) for number in NUMBERS]
        write_run(folder / f"{beta}-{seed}-{len(facts)}", scores, beta=beta, seed=seed, **facts)


def views_in(folder: Path, most: int = 4) -> tuple[list[View], list[str]]:
    runs, _ = read([folder])
    return views_of(pool(runs), list(headline_numbers(runs)), directions(runs), most=most)


def view_of(folder: Path) -> View:
    (view,), _ = views_in(folder)
    return view


def drawing_of(drawer: Callable[[View, str], Drawing | None], view: View, subject: str = "") -> Any:
    with styled():
        drawing = drawer(view, subject)
    assert drawing is not None
    return drawing


@pytest.fixture(scope="package")
def plain_view(tmp_path_factory: pytest.TempPathFactory) -> View:
    """Three β of three seeds; not to be changed."""
    folder = tmp_path_factory.mktemp("plain")
    write_sweep(folder)
    return view_of(folder)


@pytest.fixture(scope="package")
def crowded_view(tmp_path_factory: pytest.TempPathFactory) -> View:
    """The same beside a model of a long name, with UDR; not to be changed."""
    folder = tmp_path_factory.mktemp("crowded")
    write_sweep(folder)
    settings = {"optimizer.lr": 0.001, "model.encoder._target_": "x.Encoder"}
    write_sweep(folder, model_name="a_model_with_a_rather_long_name", settings=settings)
    view = view_of(folder)
    view.udr.update({run.folder: place / 20 for place, run in enumerate(view.runs())})  # pyright: ignore
    return view


def _tick_labels(axis: Any) -> list[Any]:
    """Matplotlib also keeps labels of ticks beyond the axis, which it does not draw."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def text_boxes(figure: Figure) -> list[tuple[str, Any]]:
    """Each text of a figure that is to be seen, and the box around it in pixels."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts: list[Any] = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [*_tick_labels(axes.xaxis), *_tick_labels(axes.yaxis), axes.title, axes.xaxis.label, axes.yaxis.label]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text()]
