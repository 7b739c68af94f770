import numpy as np

from disent_runner.report.plots.scatters import target_return_against_numbers, total_correlation_against_gap
from disent_runner.runs.train_log import append_row
from tests.report.folders import score, write_run
from tests.report.plots.conftest import drawing_of, view_of


def test_markers_are_as_large_as_beta_and_say_where_the_total_correlation_is_from(plain_view):
    _, _, caption, figure = drawing_of(total_correlation_against_gap, plain_view)
    assert caption == "mig against gaussian_total_correlation, a marker per run, its area in proportion to β."
    areas = figure.axes[0].collections[0].get_sizes()
    np.testing.assert_allclose(np.unique(areas) / areas.max(), [1 / 16, 4 / 16, 1])


def test_without_a_metric_s_total_correlation_none_of_training_is_taken(tmp_path):
    """What an objective is made of is off by tens of nats, as in logs of earlier versions."""
    for seed in range(2):
        folder = write_run(tmp_path / f"{seed}", [score("mig", seed / 2)], seed=seed)
        for step, correlation in ((100, 9.0), (300, seed + 0.5)):
            append_row(folder, {"step": step, "total_correlation_minibatch": correlation})
    assert total_correlation_against_gap(view_of(tmp_path), "") is None


def test_disentanglement_is_held_against_what_agents_come_to_in_the_target(tmp_path):
    for seed, (gap, reached) in enumerate([(0.1, 0.2), (0.3, 0.1), (0.2, 0.9), (0.4, 1.0)]):
        scores = [score("mig", gap), score("source_return", 1.0), score("target_return", reached)]
        write_run(tmp_path / f"{seed}", scores, seed=seed)
    _, _, _, figure = drawing_of(target_return_against_numbers, view_of(tmp_path))
    (axes,) = figure.axes
    assert axes.get_title().endswith("ρ = 0.40, n = 4")
    assert "target_return" in axes.get_xlabel()


def test_without_agents_nothing_is_held_against_them(plain_view):
    assert target_return_against_numbers(plain_view, "") is None
