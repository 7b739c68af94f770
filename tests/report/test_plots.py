import itertools
import re
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from disent_runner.report import plots
from disent_runner.report.drawing import styled
from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.pooling import pool
from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described
from disent_runner.report.views import views_of
from tests.report.folders import row, write_run

NUMBERS = ("mig", "sap", "reconstruction", "gaussian_total_correlation")


def write_sweep(folder, betas=(1.0, 4.0, 16.0), seeds=3, **more):
    rng = np.random.default_rng(0)
    for beta, seed in itertools.product(betas, range(seeds)):
        rows = [row(number, rng.random()) for number in NUMBERS]
        write_run(folder / f"{beta}-{seed}-{len(more)}", rows, beta=beta, seed=seed, **more)


def view_of(folder, most: int = 4) -> Any:
    runs = described(read_runs([folder])[0])
    views, said = views_of(pool(runs), list(headline_numbers(runs)), directions(runs), most=most)
    return views[0] if len(views) == 1 else (views, said)


def drawn(drawer, view, what="") -> Any:
    with styled():
        found = drawer(view, what)
    assert found is not None
    return found


def drawn_labels(axis):
    """Matplotlib also keeps labels of ticks beyond the axis, which it does not draw."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def text_boxes(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [*drawn_labels(axes.xaxis), *drawn_labels(axes.yaxis), axes.title, axes.xaxis.label, axes.yaxis.label]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text()]


ALL = [
    (plots.distribution, "mig"),
    (plots.sweep, "model.beta"),
    (plots.reconstruction_against_disentanglement, ""),
    (plots.total_correlation_against_gap, ""),
    (plots.rank_correlation, ""),
    (plots.udr_against_numbers, ""),
]


@pytest.mark.parametrize(("drawer", "what"), ALL, ids=lambda each: getattr(each, "__name__", str(each)))
def test_texts_do_not_overlap_and_lie_within_the_picture(tmp_path, drawer, what):
    write_sweep(tmp_path)
    write_sweep(
        tmp_path, optimizer={"lr": 0.001}, model="a_model_with_a_rather_long_name", encoder={"_target_": "x.Encoder"}
    )
    view = view_of(tmp_path)
    view.udr.update({run.folder: place / 20 for place, run in enumerate(view.runs())})
    _, title, caption, figure = drawn(drawer, view, what)
    assert title
    assert re.fullmatch(r"[^\n]+\.", caption)
    boxes = text_boxes(figure)
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (first, one), (second, other) in itertools.combinations(boxes, 2):
        assert not one.overlaps(other), (first, second)


def test_a_sweep_shows_means_deviations_and_every_run(tmp_path):
    write_sweep(tmp_path)
    view = view_of(tmp_path)
    *_, figure = drawn(plots.sweep, view, "model.beta")
    assert [axes.get_title() for axes in figure.axes] == [
        "mig ↑",
        "sap ↑",
        "reconstruction ↓",
        "gaussian_total_correlation",
    ]
    mean, runs = figure.axes[0].lines
    values = [setting.values("mig") for setting in view.settings]
    np.testing.assert_allclose(
        mean.get_xydata(), [(beta, np.mean(of)) for beta, of in zip((1, 4, 16), values, strict=True)]
    )
    assert sorted(runs.get_ydata()) == sorted(itertools.chain(*values))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "4", "16"]
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    first = np.mean(values[0]) - np.std(values[0], ddof=1)
    assert np.abs(band - first).min() < 1e-12


def test_settings_that_vary_together_are_one_series_and_never_averaged(tmp_path):
    for place, value in enumerate((1.0, 2.0, 5.0)):
        settings = {"model": "dipvae", "lambda_od": value, "lambda_d": 10 * value}
        write_run(tmp_path / f"{value}", [row("mig", place / 10)], seed=0, **settings)
    (axes,) = drawn(plots.sweep, view_of(tmp_path), "model.lambda_d")[3].axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [(10, 0), (20, 0.1), (50, 0.2)])


def test_a_grid_has_a_series_for_each_value_of_the_other_key(tmp_path):
    for beta, rate in itertools.product((1.0, 4.0), (0.1, 0.2)):
        write_run(tmp_path / f"{beta}-{rate}", [row("mig", beta + rate)], beta=beta, optimizer={"lr": rate})
    figure = drawn(plots.sweep, view_of(tmp_path), "model.beta")[3]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["betavae lr=0.1", "betavae lr=0.2"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [(1, 1.1), (4, 4.1)])


def test_rank_correlations_are_written_into_the_cells(tmp_path):
    for seed, (mig, sap, units) in enumerate([(1, 2, 3), (2, 4, 3), (3, 3, 3), (4, 1, 3)]):
        write_run(tmp_path / f"{seed}", [row("mig", mig), row("sap", sap), row("active_units", units)], seed=seed)
    (axes,) = drawn(plots.rank_correlation, view_of(tmp_path))[3].axes
    assert [text.get_text() for text in axes.texts] == ["1.00", "-0.40", "–", "-0.40", "1.00", "–", "–", "–", "–"]


def test_markers_are_as_large_as_beta_and_say_where_the_total_correlation_is_from(tmp_path):
    write_sweep(tmp_path)
    _, _, caption, figure = drawn(plots.total_correlation_against_gap, view_of(tmp_path))
    assert caption == "mig against gaussian_total_correlation, a marker per run, its area in proportion to β."
    areas = figure.axes[0].collections[0].get_sizes()
    np.testing.assert_allclose(np.unique(areas) / areas.max(), [1 / 16, 4 / 16, 1])


def test_without_a_metric_s_total_correlation_that_of_training_is_taken(tmp_path):
    for seed in range(2):
        folder = write_run(tmp_path / f"{seed}", [row("mig", seed / 2)], seed=seed)
        (folder / "train.csv").write_text(f"step,total_correlation_minibatch\n100,9.0\n300,{seed}.5\n")
    *_, caption, figure = drawn(plots.total_correlation_against_gap, view_of(tmp_path))
    assert "total_correlation_minibatch of train.csv" in caption
    np.testing.assert_allclose(figure.axes[0].collections[0].get_offsets(), [(0.5, 0), (1.5, 0.5)])


@pytest.mark.parametrize(("drawer", "what"), ALL[:1] + ALL[2:], ids=lambda each: getattr(each, "__name__", str(each)))
def test_what_does_not_apply_is_not_drawn(tmp_path, drawer, what):
    write_run(tmp_path / "0", [row("mig", 0.5)], model="vae")
    assert drawer(view_of(tmp_path), what) is None


def test_many_settings_are_cut_to_the_best_and_that_is_said(tmp_path):
    for place in range(40):
        for seed in range(2):
            write_run(tmp_path / f"{place}-{seed}", [row("mig", place / 50)], beta=place + 1.0, seed=seed)
    _, _, caption, figure = drawn(plots.distribution, view_of(tmp_path), "mig")
    assert caption.endswith("; of 40 settings the 30 with the best means.")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"betavae β={place + 1}" for place in range(10, 40)]


def test_settings_that_cannot_be_compared_are_not_in_one_view(tmp_path):
    for place, facts in enumerate(({}, {"representation": "sampled"}, {"settings": {"num_bins": 9}})):
        write_run(tmp_path / f"{place}", [row("mig", 0.5, **facts)], seed=place)
    views, said = view_of(tmp_path, most=2)
    assert [len(view.settings) for view in views] == [1, 1]
    assert said == ["plots are of the 2 largest groups of settings that can be compared; 1 are not drawn"]


def test_plots_are_written_by_other_processes(tmp_path):
    write_sweep(tmp_path / "runs")
    view = view_of(tmp_path / "runs")
    with ProcessPoolExecutor(2) as processes:
        plotter = plots.Plotter(processes, tmp_path / "out")
        plotter.start([view])
        plotter.start_udr([view], {})
        made = plotter.finish()
    assert sorted(plot.path for plot in made) == sorted((tmp_path / "out").iterdir())
    assert {plot.path.stem for plot in made} == {
        *(f"distribution_{number}" for number in NUMBERS),
        *("sweep_model.beta", "rank_correlation"),
        *("reconstruction_against_disentanglement", "total_correlation_against_mig"),
    }
    for plot in made:
        assert plot.title.endswith(": dsprites (rendered)")
        with Image.open(plot.path) as picture:
            assert min(picture.size) > 100
