from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from disent_runner.figures.posterior_deviations import ACTIVE, PASSIVE, posterior_deviations
from disent_runner.representations.requirements import NotApplicable

SETTINGS = {"num_latents": 10, "num_bins": 60, "active_below": 0.5}


def drawn(inputs, **settings: Any) -> Any:
    rng = np.random.default_rng(0)
    (figure,) = posterior_deviations(inputs, rng=rng, **{**SETTINGS, **settings}).values()
    return figure.axes


def centre(patch: Any) -> float:
    """Mean σ of a histogram, by the middle of its bins."""
    heights, edges, _ = patch.get_data()
    return float(heights @ np.sqrt(edges[1:] * edges[:-1]) / heights.sum())


def test_a_row_for_each_latent_is_where_its_deviations_are(inputs):
    """Log variances 0, -6 and -3 in all images: one passive latent, two active ones."""
    _, *rows = drawn(inputs)
    assert [panel.get_ylabel() for panel in rows] == ["z1", "z2", "z0"]  # by KL
    patches = [panel.patches[0] for panel in rows]
    np.testing.assert_allclose([centre(patch) for patch in patches], np.exp([-3, -1.5, 0]), rtol=0.1)
    assert all(patch.get_data().values.sum() == pytest.approx(1) for patch in patches)


def test_all_latents_are_stacked_and_counted(inputs):
    active, passive = drawn(inputs)[0].patches
    assert [active.get_label(), passive.get_label()] == ["2 active", "1 passive"]
    assert active.get_data().values.sum() == pytest.approx(2 / 3)
    assert passive.get_data().values.sum() == pytest.approx(1)  # on top of the others
    np.testing.assert_array_equal(passive.get_data().baseline, active.get_data().values)


def test_active_is_what_varies_less_than_is_said(inputs):
    def colours(active_below: float) -> list[Any]:
        rows = drawn(inputs, active_below=active_below)[1:]
        return [panel.patches[0].get_facecolor() for panel in rows]

    assert colours(0.5) == [to_rgba(ACTIVE), to_rgba(ACTIVE), to_rgba(PASSIVE)]
    assert colours(0.01) == [to_rgba(ACTIVE), to_rgba(PASSIVE), to_rgba(PASSIVE)]


def test_no_more_latents_than_are_asked_for(inputs):
    assert len(drawn(inputs, num_latents=1)) == 2


@pytest.mark.parametrize("logvar", [-20.0, 2 * np.log(0.005), 0.0, 8.0])
def test_latents_that_are_all_alike_are_drawn(inputs, logvar):
    rep = replace(inputs.representation, logvar=np.full((20, 3), logvar))
    stacked = drawn(replace(inputs, representation=rep))[0].patches[1]
    assert stacked.get_data().values.sum() == pytest.approx(1)


def test_points_have_no_deviations(inputs):
    rep = replace(inputs.representation, logvar=None)
    with pytest.raises(NotApplicable, match="posterior_deviations needs the posterior's logvar, got point codes"):
        posterior_deviations(replace(inputs, representation=rep), rng=np.random.default_rng(0), **SETTINGS)
