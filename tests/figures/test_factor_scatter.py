from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.factor_scatter import factor_scatter
from disent_runner.representations.requirements import NotApplicable


def test_panels_show_codes_by_values_and_their_means(inputs, rng):
    (figure,) = factor_scatter(inputs, rng=rng, num_latents=2, num_images=1000).values()
    assert len(figure.axes) == 4  # the latents of most KL, z1 and z2, by both factors
    points, mean = figure.axes[0].lines
    rep = inputs.representation
    expected = np.stack([rep.factors[:, 0], rep.codes[:, 1]], axis=1)
    np.testing.assert_array_equal(np.sort(points.get_xydata(), axis=0), np.sort(expected, axis=0))
    np.testing.assert_allclose(np.asarray(mean.get_xydata()), [[value, 2 * (value - 1.5)] for value in range(4)])


def test_without_labels_there_is_nothing_to_show(inputs, rng):
    rep = replace(inputs.representation, factors=np.zeros((20, 0), int), factor_sizes=(), factor_names=())
    with pytest.raises(NotApplicable, match="factor_scatter needs ground-truth factors"):
        factor_scatter(replace(inputs, representation=rep), rng=rng, num_latents=2, num_images=10)
