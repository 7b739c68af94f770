"""Triplet accuracy: does the code answer as the factors would, who is nearer? (Karaletsos et al. 2016)."""

import numpy as np
import torch
from jaxtyping import Float, Integer

from disent_runner.datasets.labels.nearness import nearer, periods_of
from disent_runner.losses.triplets import DIVERGENCES
from disent_runner.machine.ranges import Count
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.questions import Questions
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_labels,
    require_logvar,
    require_questions,
    require_varying_factors,
)

FEWEST = 3


@returns(
    Number("triplet_accuracy", "higher", per_factor=True),
    Number("triplet_accuracy_unmasked", "higher", per_factor=True),
)
def triplet_accuracy(
    rep: Representation, *, rng: np.random.Generator, num_triplets: Count = 20_000
) -> dict[str, float]:
    """Share of triplets a, b, c of which the code says, as the factor does, whether b or c is nearer to a.

    Of `num_triplets` random triplets of the images, those that the factor can tell; mean over the questions of the
    model, which are factors. The code's nearness is the divergence of posteriors over the question's mask;
    `triplet_accuracy_unmasked` is over all latents alike, which any model has: one that was not asked has the questions
    that its factors are, and the same number twice. Guesses are right in a half; as near by the code is half right.

    Raises:
        NotApplicable: point codes, fewer than 3 images, or no triplet that a factor can tell.
        ValueError: `num_triplets` below 1.
    """
    rep = require_labels("triplet_accuracy", rep, minimum=FEWEST)
    require_at_least("triplet_accuracy", 1, num_triplets=num_triplets)
    logvar = require_logvar("triplet_accuracy", rep)
    questions = _questions(rep)
    columns = [rep.factor_names.index(name) for name in questions.factors]
    rows = _triplets(len(rep.codes), num_triplets, rng)
    of_a, of_b, of_c = (rep.factors[place][:, columns] for place in rows)
    answers = nearer(of_a, of_b, of_c, periods_of(questions.factors, rep.periods))
    closer = _closer(rep.codes, logvar, rows, questions)
    masked = right_answers(closer @ questions.masks.T.astype(np.float64), answers)
    unmasked = right_answers(np.repeat(closer.sum(axis=1, keepdims=True), len(columns), axis=1), answers)
    return {
        "triplet_accuracy": float(masked.mean()),
        "triplet_accuracy_unmasked": float(unmasked.mean()),
        **{f"triplet_accuracy_factor_{k}": float(value) for k, value in zip(columns, masked, strict=True)},
        **{f"triplet_accuracy_unmasked_factor_{k}": float(value) for k, value in zip(columns, unmasked, strict=True)},
    }


def right_answers(
    closer: Float[np.ndarray, "triplet question"], answers: Integer[np.ndarray, "triplet question"]
) -> Float[np.ndarray, " question"]:
    """Share of answers, 1 or -1, with the sign of `closer`; a half where that is 0. Answers 0 do not count.

    Raises NotApplicable where a question has no answer.
    """
    is_answered = answers != 0
    if not is_answered.any(axis=0).all():
        raise NotApplicable("triplet_accuracy needs triplets that every factor can tell, got none of one; ask for more")
    right = (1 + np.sign(closer) * answers) / 2
    return (right * is_answered).sum(axis=0) / is_answered.sum(axis=0)


def _questions(rep: Representation) -> Questions:
    """The model's, or one for each factor that varies, of all latents alike."""
    if rep.questions is not None:
        return require_questions("triplet_accuracy", rep)
    columns = require_varying_factors("triplet_accuracy", rep.factors)
    names = tuple(rep.factor_names[column] for column in columns)
    return Questions(names, np.ones((len(names), rep.codes.shape[1])), divergence="js")


def _triplets(num_images: int, num_triplets: int, rng: np.random.Generator) -> Integer[np.ndarray, "3 triplet"]:
    """Rows of three different images."""
    first, between = rng.integers(1, num_images, num_triplets), rng.integers(1, num_images - 1, num_triplets)
    anchor = rng.integers(num_images, size=num_triplets)
    second = (first - 1 + between) % (num_images - 1) + 1
    return np.stack([anchor, (anchor + first) % num_images, (anchor + second) % num_images])


def _closer(
    codes: Float[np.ndarray, "image latent"],
    logvar: Float[np.ndarray, "image latent"],
    rows: Integer[np.ndarray, "3 triplet"],
    questions: Questions,
) -> Float[np.ndarray, "triplet latent"]:
    """By how much b is nearer to a than c is, in nats, by latent."""
    means, log_variances = (torch.from_numpy(values.astype(np.float64)) for values in (codes, logvar))
    of_a, of_b, of_c = ((means[place], log_variances[place]) for place in rows)
    divergence = DIVERGENCES[questions.divergence]
    return (divergence(of_a, of_c) - divergence(of_a, of_b)).numpy()
