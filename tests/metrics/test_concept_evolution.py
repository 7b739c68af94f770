from dataclasses import replace

import numpy as np
import pytest

from disent_runner.metrics.concept_evolution import concept_evolution, evolve
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.rooms import representation, taught

TAUGHT = taught()
REP = representation(TAUGHT)


@pytest.mark.parametrize("concept", [None, "a 1"])
def test_what_is_not_named_becomes_free(concept, rng) -> None:
    scores = concept_evolution(REP, rng=rng, concept=concept, num_steps=300)
    assert scores["concept_evolution_named"] > 0.9
    assert scores["concept_evolution_others_first"] > 0.9
    assert scores["concept_evolution_others"] < 0.7


def test_of_the_reverse_divergence_nothing_becomes_free(rng) -> None:
    scores = concept_evolution(REP, rng=rng, kl="reverse", num_steps=300)
    assert min(scores.values()) > 0.9


def test_nothing_is_taught_of_what_the_model_never_saw(rng) -> None:
    unseen = np.array([[1, 0, 0], [1, 2, 1]])
    symbols = replace(TAUGHT, unseen=unseen)
    labelled = REP.with_factors(symbols.factors)
    evolution = evolve(
        *(labelled, symbols), rng=rng, concept="a 1, c 0", num_sets=2, num_images=5, num_steps=1, kl="forward", beta=1,
        lambda_=10,
    )  # fmt: skip
    shown = labelled.factors[evolution.rows]
    assert (shown[..., [0, 2]] == [1, 0]).all()
    assert (shown[..., 1] != 0).all()


def test_what_cannot_be_told_is_skipped(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^concept_evolution needs a model that was taught symbols"):
        concept_evolution(representation(None), rng=rng)
    with pytest.raises(NotApplicable, match=r"^concept_evolution needs the posterior's logvar"):
        concept_evolution(replace(REP, logvar=None), rng=rng)
    with pytest.raises(NotApplicable, match=r"names some factors and leaves others, got 'a 1, b 1, c 1'"):
        concept_evolution(REP, rng=rng, concept="a 1, b 1, c 1")
    with pytest.raises(ValueError, match=r"'purpel'"):
        concept_evolution(REP, rng=rng, concept="purpel")
    with pytest.raises(ValueError, match=r"^concept_evolution needs num_sets >= 2, got 1"):
        concept_evolution(REP, rng=rng, num_sets=1)
