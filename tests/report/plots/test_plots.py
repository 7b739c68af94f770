from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from disent_runner.report.plots import plots
from tests.report.folders import score, write_run
from tests.report.plots.conftest import NUMBERS, drawing_of, view_of


def test_rank_correlations_are_written_into_the_cells(tmp_path):
    for seed, values in enumerate([(1, 2, 3), (2, 4, 3), (3, 3, 3), (4, 1, 3)]):
        scores = [score(name, value) for name, value in zip(("mig", "sap", "active_units"), values, strict=True)]
        write_run(tmp_path / f"{seed}", scores, seed=seed)
    (axes,) = drawing_of(plots.rank_correlation, view_of(tmp_path)).figure.axes
    assert [text.get_text() for text in axes.texts] == ["1.00", "-0.40", "–", "-0.40", "1.00", "–", "–", "–", "–"]


def test_what_does_not_apply_is_not_drawn(tmp_path):
    write_run(tmp_path / "0", [score("mig", 0.5)], model="vae")
    view = view_of(tmp_path)
    assert plots.distribution(view, "mig") is None
    assert plots.sweep(view, "model.beta") is None
    for drawer in (plots.reconstruction_against_disentanglement, plots.total_correlation_against_gap):
        assert drawer(view, "") is None
    assert plots.rank_correlation(view, "") is None
    assert plots.udr_against_numbers(view, "") is None


def test_many_settings_are_cut_to_the_best_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "MOST_BARS", 3)
    for place in range(5):
        write_run(tmp_path / f"{place}", [score("mig", place / 50)], beta=place + 1.0)
    _, _, caption, figure = drawing_of(plots.distribution, view_of(tmp_path), "mig")
    assert caption.endswith("; of 5 settings the 3 with the best means.")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        f"betavae β={beta}" for beta in (3, 4, 5)
    ]


def test_all_that_apply_are_written(tmp_path, plain_view):
    """In another thread; reports draw in other processes."""
    with ThreadPoolExecutor(1) as threads:
        plotter = plots.Plotter(threads, tmp_path)
        plotter.start([plain_view])
        plotter.start_udr([plain_view], {})
        finished = plotter.finish()
    assert sorted(plot.path for plot in finished) == sorted(tmp_path.iterdir())
    assert {plot.path.stem for plot in finished} == {
        *(f"distribution_{number}" for number in NUMBERS),
        *("sweep_model.beta", "rank_correlation"),
        *("reconstruction_against_disentanglement", "total_correlation_against_mig"),
    }
    for plot in finished:
        assert plot.title.endswith(": dsprites (rendered)")
        with Image.open(plot.path) as picture:
            assert min(picture.size) > 100
