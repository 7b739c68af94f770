from dataclasses import replace

import numpy as np

from disent_runner.figures.loss_curves import loss_curves


def test_every_column_is_a_curve_and_the_latents_share_a_panel(inputs, rng):
    (figure,) = loss_curves(inputs, rng=rng).values()
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["loss", "kl"]
    assert [line.get_label() for line in panels["kl"].lines] == ["z0", "z1"]
    assert np.asarray(panels["kl"].lines[1].get_xydata()).tolist() == [[10, 1], [20, 1], [30, 1]]


def test_a_run_without_training_has_no_curves(inputs, rng):
    assert loss_curves(replace(inputs, train_log={}), rng=rng) == {}
