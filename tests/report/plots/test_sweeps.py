import itertools

import numpy as np

from disent_runner.report.plots.sweeps import sweep
from tests.report.folders import score, write_run
from tests.report.plots.conftest import drawing_of, view_of


def test_a_sweep_shows_means_deviations_and_every_run(plain_view):
    figure = drawing_of(sweep, plain_view, "model.beta").figure
    assert [axes.get_title() for axes in figure.axes] == [
        "mig ↑",
        "sap ↑",
        "reconstruction ↓",
        "gaussian_total_correlation",
    ]
    mean, runs = figure.axes[0].lines
    samples = [setting.values("mig") for setting in plain_view.settings]
    points = [(beta, np.mean(sample)) for beta, sample in zip((1, 4, 16), samples, strict=True)]
    np.testing.assert_allclose(mean.get_xydata(), points)
    assert sorted(runs.get_ydata()) == sorted(itertools.chain(*samples))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "4", "16"]
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    first = np.mean(samples[0]) - np.std(samples[0], ddof=1)
    assert np.abs(band - first).min() < 1e-12


def test_settings_that_vary_together_are_one_series_and_never_averaged(tmp_path):
    for place, value in enumerate((1.0, 2.0, 5.0)):
        settings = {"model.lambda_od": value, "model.lambda_d": 10 * value}
        write_run(tmp_path / f"{value}", [score("mig", place / 10)], model="dipvae", settings=settings)
    (axes,) = drawing_of(sweep, view_of(tmp_path), "model.lambda_d").figure.axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [(10, 0), (20, 0.1), (50, 0.2)])


def test_a_grid_has_a_series_for_each_value_of_the_other_key(tmp_path):
    for beta, rate in itertools.product((1.0, 4.0), (0.1, 0.2)):
        folder = tmp_path / f"{beta}-{rate}"
        write_run(folder, [score("mig", beta + rate)], beta=beta, settings={"optimizer.lr": rate})
    figure = drawing_of(sweep, view_of(tmp_path), "model.beta").figure
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["betavae lr=0.1", "betavae lr=0.2"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [(1, 1.1), (4, 4.1)])
