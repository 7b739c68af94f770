"""Masks beside codes of which it is known what they tell."""

import numpy as np
import pytest

from disent_runner.metrics.mask_alignment import effective_sizes, mask_alignment, overlap
from disent_runner.representations.questions import Questions
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

GRID = np.stack(np.unravel_index(np.arange(24), (4, 6)), axis=1)


def scored(masks: list[list[float]] | None) -> dict[str, float]:
    questions = None if masks is None else Questions(("a", "b"), np.array(masks), "js")
    codes = np.hstack([GRID, np.zeros((24, 1))]).astype(float)
    rep = Representation(codes, GRID, (4, 6), factor_names=("a", "b"), questions=questions)
    return mask_alignment(rep, rng=np.random.default_rng(0))


def test_a_mask_for_each_factor_is_fully_aligned():
    values = scored([[2.0, 0.0, 0.0], [0.0, 0.1, 0.0]])
    assert values["mask_alignment"] == pytest.approx(1)
    assert values["mask_alignment_chance"] == pytest.approx(0.5)
    assert values["mask_overlap"] == 0
    assert values["mask_latents"] == pytest.approx(1)


def test_masks_of_the_other_factor_are_not():
    assert scored([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])["mask_alignment"] == pytest.approx(0)


def test_equal_weights_are_at_chance_and_a_latent_that_tells_nothing_does_not_count():
    values = scored([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    assert values["mask_alignment"] == pytest.approx(values["mask_alignment_chance"])
    assert values["mask_latents_factor_0"] == pytest.approx(3)
    assert values["mask_latents_factor_1"] == pytest.approx(2)


def test_three_to_one_is_three_quarters():
    assert scored([[3.0, 1.0, 0.0], [1.0, 3.0, 9.0]])["mask_alignment"] == pytest.approx(0.75)


def test_empty_masks_have_nothing():
    assert overlap(np.array([[0.0, 0.0], [1.0, 0.0]])) == 0
    assert overlap(np.array([[1.0, 2.0]])) == 0
    assert effective_sizes(np.array([[0.0, 0.0], [1.0, 0.0]])).tolist() == [0, 1]
    assert scored([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])["mask_alignment"] == pytest.approx(0.5)


def test_a_model_that_was_not_asked_has_no_masks():
    with pytest.raises(NotApplicable, match="needs a model that was asked about images, such as oracle_triplets"):
        scored(None)
