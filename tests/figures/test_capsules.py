from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from disent_runner.figures.capsules import around_grey, capsules
from disent_runner.figures.grid import tile
from disent_runner.representations.capsules import Capsules, Views
from disent_runner.representations.requirements import NotApplicable


def test_the_most_present_capsules_are_shown(inputs, rng):
    """Codes of the fixture: the last of three numbers is the presence of the only capsule, here of two."""
    parts = np.stack([np.full((1, 2, 2), 0.5), np.full((1, 2, 2), -1.0)])
    filters = np.zeros((2, 3, 1, 2, 2))
    filters[1, 0] = 4.0

    def views(images: np.ndarray, rng: np.random.Generator) -> Views:
        return Views(images, 1 - images, images, np.repeat(parts[None], len(images), axis=0))

    def movement(images: np.ndarray, rng: np.random.Generator) -> Any:
        raise AssertionError

    codes = np.tile([0.0, 0.2, 0.0, 0.7], (20, 1))  # presences of 0.2 and 0.7
    rep = replace(
        inputs.representation, codes=codes, logvar=None, capsules=Capsules(2, movement, views, lambda: filters)
    )
    drawn = capsules(replace(inputs, representation=rep), rng=rng, num_images=4, num_capsules=2, num_units=2)
    assert list(drawn) == ["capsules_views", "capsules_filters"]
    labels = [[text.get_text() for text in figure.axes[0].get_yticklabels()] for figure in drawn.values()]
    assert labels == [["seen", "target", "predicted", "capsule 1", "capsule 0"], ["capsule 1", "capsule 0"]]
    shown: Any = drawn["capsules_views"].axes[0].images[0].get_array()
    rows = np.asarray(shown)[[12, 16], 0, 0]  # within the parts of capsules 1 and 0
    np.testing.assert_array_equal(rows, tile(np.array([0.0, 0.75]).reshape(2, 1, 1, 1, 1))[[0, 3], 0, 0])
    shown = drawn["capsules_filters"].axes[0].images[0].get_array()
    assert np.asarray(shown)[0, [0, 4], 0].tolist() == [255, 128]


def test_grey_is_zero():
    np.testing.assert_array_equal(around_grey(np.array([-2.0, 0, 1])), [0, 0.5, 0.75])
    np.testing.assert_array_equal(around_grey(np.zeros(2)), [0.5, 0.5])


def test_a_model_without_capsules_has_none(inputs, rng):
    with pytest.raises(NotApplicable, match="capsules needs a model of capsules"):
        capsules(inputs, rng=rng, num_images=2, num_capsules=2, num_units=2)
