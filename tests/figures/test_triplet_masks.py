from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.triplet_masks import triplet_masks
from disent_runner.representations.questions import Questions
from disent_runner.representations.requirements import NotApplicable


def test_rows_are_questions_with_their_largest_weight_at_one(inputs, rng):
    name = inputs.representation.factor_names[0]
    masks = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    rep = replace(inputs.representation, questions=Questions((name, name), masks, "js"))
    (figure,) = triplet_masks(replace(inputs, representation=rep), rng=rng).values()
    np.testing.assert_allclose(np.asarray(figure.axes[0].images[0].get_array()), [[1, 0.5, 0], [0, 0, 0]])


def test_what_was_not_asked_has_no_masks(inputs, rng):
    with pytest.raises(NotApplicable, match="triplet_masks needs a model that was asked"):
        triplet_masks(inputs, rng=rng)
