"""What a concept says when it is taught by more and more diverse images (Higgins et al. 2018, SCAN)."""

from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from disent_runner.datasets.symbols.concepts import ANY, Concepts
from disent_runner.datasets.symbols.phrases import parse
from disent_runner.losses.concepts import GROUNDINGS
from disent_runner.machine.ranges import Count, NonNegative, OneOf, Positive, Several
from disent_runner.metrics.estimators.concept_curriculum import Lesson, draw_sets, taught
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.metrics.specificity import latents_of_factors, specificity_of, unigrams
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_choice,
    require_labels,
    require_logvar,
    require_symbols,
)
from disent_runner.representations.symbols import Symbols

NAME = "concept_evolution"
_NUM_SAMPLES = 10_000
_NUM_BINS = 20


class Evolution(NamedTuple):
    """Concepts, the images of each set that taught them, what was known at each step, and each factor's own latent."""

    concepts: Concepts
    rows: Int[np.ndarray, "set concept example"]
    lessons: list[Lesson]
    own: Int[np.ndarray, " factor"]


@returns(
    Number("concept_evolution_named", "higher"),
    Number("concept_evolution_others_first"),
    Number("concept_evolution_others", "lower"),
)
def concept_evolution(
    rep: Representation,
    *,
    rng: np.random.Generator,
    concept: str | None = None,
    num_sets: Several = 3,
    num_images: Several = 5,
    num_steps: Count = 300,
    kl: Annotated[str, OneOf(*GROUNDINGS)] = "forward",
    beta: NonNegative = 1.0,
    lambda_: Positive = 10.0,
) -> dict[str, float]:
    """Specificity, 1 - σ, of a concept that SCAN's loss learns anew of `num_sets` sets of `num_images` images in turn.

    In the first set nothing but what no concept names differs, in the last all that the concept does not name.
    `concept_evolution_named` is the specificity of the latents of the factors that it names, after the last set;
    `…_others` that of the other factors' latents, `…_others_first` after the first set. Means over all concepts of one
    value, or of the `concept` that is named. A factor's latent is the one that tells most of it, as in `specificity`.

    Raises:
        ValueError: a model without symbols, point codes, too few images that are alike, a concept that names nothing
            or everything, or a setting that is too small.
    """
    symbols = require_symbols(NAME, rep)
    evolution = evolve(
        require_labels(NAME, rep.with_factors(symbols.factors)),
        symbols,
        rng=rng,
        concept=concept,
        num_sets=num_sets,
        num_images=num_images,
        num_steps=num_steps,
        kl=kl,
        beta=beta,
        lambda_=lambda_,
    )
    is_named = evolution.concepts != ANY

    def means(lesson: Lesson) -> tuple[float, float]:
        values = specificity_of(lesson.deviation[-1])[:, evolution.own]
        return float(values[is_named].mean()), float(values[~is_named].mean())

    named, others = means(evolution.lessons[-1])
    return {
        "concept_evolution_named": named,
        "concept_evolution_others_first": means(evolution.lessons[0])[1],
        "concept_evolution_others": others,
    }


def evolve(
    labelled: Representation,
    symbols: Symbols,
    *,
    rng: np.random.Generator,
    concept: str | None,
    num_sets: int,
    num_images: int,
    num_steps: int,
    kl: str,
    beta: float,
    lambda_: float,
) -> Evolution:
    """The course of `concept_evolution`, of images whose factors are all known and those that concepts are about.

    ValueError and NotApplicable as there.
    """
    require_at_least(NAME, 2, num_sets=num_sets, num_images=num_images)
    require_at_least(NAME, 1, num_steps=num_steps)
    require_choice(NAME, tuple(GROUNDINGS), kl=kl)
    logvar = require_logvar(NAME, labelled)
    sampled = draw_rows(len(labelled.codes), _NUM_SAMPLES, rng)
    own = latents_of_factors(labelled.codes[sampled], labelled.factors[sampled], num_bins=_NUM_BINS)
    concepts = unigrams(symbols.vocabulary)[0] if concept is None else parse(concept, symbols.vocabulary).result
    if concept is not None and ((concepts == ANY).all() or (concepts != ANY).all()):
        raise NotApplicable(f"{NAME} needs a concept that names some factors and leaves others, got {concept!r}")
    seen = _was_seen(labelled.factors, symbols)
    sets = [
        draw_sets(labelled.factors, one, allowed=seen, num_sets=num_sets, num_images=num_images, rng=rng)
        for one in concepts
    ]
    rows = np.stack(sets, axis=1)
    images, loss = (labelled.codes[rows], logvar[rows]), GROUNDINGS[kl]
    lessons = taught(*images, grounding=loss, beta=beta, lambda_=lambda_, num_steps=num_steps)
    return Evolution(concepts, rows, lessons, own)


def _was_seen(factors: Int[np.ndarray, "image factor"], symbols: Symbols) -> Bool[np.ndarray, " image"]:
    """Which images are of no combination that the model saw no image of."""
    shape = tuple(symbols.vocabulary.sizes.values())
    unseen = np.ravel_multi_index(tuple(symbols.unseen.T), shape)
    return ~np.isin(np.ravel_multi_index(tuple(factors.T), shape), unseen)
