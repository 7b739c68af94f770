"""Codes that answer every triplet, none, or one question only."""

import numpy as np
import pytest

from disent_runner.metrics.triplet_accuracy import right_answers, triplet_accuracy
from disent_runner.representations.questions import Questions
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

GRID = np.stack(np.unravel_index(np.arange(36), (6, 6)), axis=1)


def rep(codes: np.ndarray, questions: Questions | None = None, **settings) -> Representation:
    logvar = np.full(codes.shape, -4.0)
    return Representation(codes.astype(float), GRID, (6, 6), logvar, ("a", "b"), questions=questions, **settings)


def scored(representation: Representation) -> dict[str, float]:
    return triplet_accuracy(representation, rng=np.random.default_rng(0), num_triplets=4_000)


@pytest.mark.parametrize("divergence", ["js", "kl"])
def test_masks_pick_the_latent_that_answers(divergence):
    values = scored(rep(GRID, Questions(("b", "a"), np.array([[0.0, 2.0], [0.5, 0.0]]), divergence)))
    assert values["triplet_accuracy"] == 1
    assert values["triplet_accuracy_factor_0"] == values["triplet_accuracy_factor_1"] == 1
    assert 0.6 < values["triplet_accuracy_unmasked"] < 0.9


def test_masks_of_the_other_factor_and_constant_codes_guess():
    crossed = scored(rep(GRID, Questions(("a", "b"), np.array([[0.0, 1.0], [1.0, 0.0]]), "js")))
    assert crossed["triplet_accuracy"] == pytest.approx(0.5, abs=0.05)
    assert scored(rep(np.zeros((36, 2))))["triplet_accuracy"] == 0.5


def test_a_model_that_was_not_asked_has_one_distance_for_all():
    values = scored(rep(GRID * [1.0, 0.0]))
    assert values["triplet_accuracy_factor_0"] == 1
    assert values["triplet_accuracy_factor_1"] == pytest.approx(0.5, abs=0.05)
    assert values["triplet_accuracy"] == values["triplet_accuracy_unmasked"]


def test_a_circle_is_answered_on_the_circle():
    angle = 2 * np.pi * GRID[:, :1] / 6
    codes = np.hstack([np.cos(angle), np.sin(angle)])
    questions = Questions(("a",), np.ones((1, 2)), "kl")
    assert scored(rep(codes, questions, periods={"a": 6}))["triplet_accuracy"] == 1
    assert scored(rep(codes, questions))["triplet_accuracy"] < 0.9


def test_ties_are_half_right_and_no_answer_does_not_count():
    closer = np.array([[1.0], [-2.0], [0.0], [5.0]])
    assert right_answers(closer, np.array([[1], [1], [-1], [0]])).tolist() == [0.5]
    with pytest.raises(NotApplicable, match="got none of one"):
        right_answers(closer, np.zeros((4, 1), int))


def test_point_codes_have_no_divergence():
    points = Representation(GRID.astype(float), GRID, (6, 6))
    with pytest.raises(NotApplicable, match="needs the posterior's logvar"):
        scored(points)
