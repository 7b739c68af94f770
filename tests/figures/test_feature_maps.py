from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.feature_maps import feature_maps, mean_by_place
from disent_runner.representations.requirements import NotApplicable


def test_means_lie_where_the_thing_is():
    places = np.array([[0, 0], [0, 0], [2, 1]])
    found = mean_by_place(np.array([1.0, 3.0, 5.0]), places, (2, 3))
    np.testing.assert_array_equal(found, [[2, np.nan, np.nan], [np.nan, np.nan, 5]])


def test_a_map_for_each_latent_shows_its_code_by_place(inputs, rng):
    rep = replace(inputs.representation, factor_names=("agent_x", "agent_y"))
    (figure,) = feature_maps(replace(inputs, representation=rep), rng=rng, num_latents=2).values()
    first, second = (np.asarray(panel.images[0].get_array()) for panel in figure.axes)
    np.testing.assert_allclose(first, np.tile(2 * (np.arange(4) - 1.5), (5, 1)))  # follows x
    np.testing.assert_allclose(second, np.tile(0.5 * (np.arange(5) - 2)[:, None], (1, 4)))  # follows y


def test_without_places_there_is_nothing_to_show(inputs, rng):
    with pytest.raises(NotApplicable, match="feature_maps needs factors of a place"):
        feature_maps(inputs, rng=rng, num_latents=2)
