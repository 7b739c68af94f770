import numpy as np
import pytest

from disent_runner.losses.concepts import forward_grounding, reverse_grounding
from disent_runner.metrics.estimators.concept_curriculum import draw_sets, taught
from disent_runner.representations.requirements import NotApplicable

FACTORS = np.tile(np.indices((3, 2, 2)).reshape(3, -1).T, (10, 1))
CONCEPT = np.array([1, -1, -1])
ALL = np.ones(len(FACTORS), bool)
SETTINGS = {"beta": 1.0, "lambda_": 10.0, "num_steps": 600}


def test_sets_differ_in_more_and_more(rng) -> None:
    for _ in range(20):
        sets = draw_sets(FACTORS, CONCEPT, allowed=ALL, num_sets=3, num_images=4, rng=rng)
        assert (FACTORS[sets][..., 0] == 1).all()
        assert len(np.unique(sets)) == sets.size
        assert (FACTORS[sets[0]] == FACTORS[sets[0][0]]).all()
        assert (FACTORS[sets[1]][:, 1] == FACTORS[sets[0][0], 1]).all()
    drawn = np.concatenate(
        [draw_sets(FACTORS, CONCEPT, allowed=ALL, num_sets=3, num_images=4, rng=rng)[2] for _ in range(20)]
    )
    assert len(np.unique(FACTORS[drawn], axis=0)) == 4


def test_what_may_not_be_seen_is_not_drawn(rng) -> None:
    allowed = FACTORS[:, 2] == 0
    sets = draw_sets(FACTORS, CONCEPT, allowed=allowed, num_sets=2, num_images=5, rng=rng)
    assert allowed[sets].all()


def test_too_few_images_that_are_alike(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^set 1 needs 11 images that are alike .* got 10; encode more"):
        draw_sets(FACTORS, CONCEPT, allowed=ALL, num_sets=3, num_images=11, rng=rng)
    with pytest.raises(NotApplicable, match=r"^no image to learn from shows the concept"):
        draw_sets(FACTORS, CONCEPT, allowed=~ALL, num_sets=3, num_images=2, rng=rng)


@pytest.mark.parametrize("grounding", [forward_grounding, reverse_grounding])
def test_concepts_reach_the_closed_form(grounding, rng) -> None:
    """Of both directions, as the docstrings of the losses say; each concept by itself, each set in its turn."""
    mean, variance = rng.normal(size=(2, 3, 5, 4)), rng.uniform(0.01, 0.4, size=(2, 3, 5, 4))
    lessons = taught(mean, np.log(variance), grounding=grounding, **SETTINGS)
    beta, weight = SETTINGS["beta"], SETTINGS["lambda_"]
    for lesson, means, variances in zip(lessons, mean, variance, strict=True):
        assert lesson.deviation.shape == (SETTINGS["num_steps"] + 1, 3, 4)
        found = lesson.deviation[-1] ** 2
        if grounding is reverse_grounding:
            expected = (beta + weight) / (beta + weight * (1 / variances).mean(axis=1))
        else:
            spread = (variances + (means - lesson.mean[:, None]) ** 2).mean(axis=1)
            np.testing.assert_allclose(lesson.mean, weight * means.mean(axis=1) / (weight + beta * found), atol=0.02)
            expected = (beta - weight + np.sqrt((weight - beta) ** 2 + 4 * beta * weight * spread)) / (2 * beta)
        np.testing.assert_allclose(found, expected, rtol=0.05)
    np.testing.assert_array_equal(lessons[0].deviation[0], np.ones((3, 4)))
    np.testing.assert_array_equal(lessons[1].deviation[0], lessons[0].deviation[-1])
