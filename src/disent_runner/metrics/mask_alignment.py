"""Mask alignment: are the latents that a question is answered by about its factor? (after Karaletsos et al. 2016)."""

import numpy as np
from jaxtyping import Float

from disent_runner.machine.ranges import Several
from disent_runner.metrics.estimators.information import entropy, factor_entropies, mutual_information_matrix
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_at_least, require_labels, require_questions


@returns(
    Number("mask_alignment", "higher", per_factor=True),
    Number("mask_alignment_chance"),
    Number("mask_overlap", "lower"),
    Number("mask_latents", unit="latents", per_factor=True),
)
def mask_alignment(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Several = 20
) -> dict[str, float]:
    """Share in [0, 1] of what a question's latents tell that is about its factor, latents weighted by the mask.

    What a latent tells of a factor is I(z; v) / H(v), of binned codes; of latents that tell of nothing no share is
    taken. `mask_alignment_chance` is that of a mask of all latents alike. `mask_overlap` is the mean cosine between the
    masks of two questions, 0 where they have no latent in common. `mask_latents` is e to the entropy of a mask: how
    many latents it has, as many as there are where all count alike. Of an empty mask alignment and latents are 0.

    Raises:
        NotApplicable: a model that was not asked about images.
        ValueError: `num_samples` or `num_bins` below 2.
    """
    rep = require_labels("mask_alignment", rep)
    questions = require_questions("mask_alignment", rep)
    require_at_least("mask_alignment", 2, num_samples=num_samples, num_bins=num_bins)
    columns = [rep.factor_names.index(name) for name in questions.factors]
    rows = draw_rows(len(rep.codes), num_samples, rng)
    factors = rep.factors[rows][:, columns]
    told = mutual_information_matrix(rep.codes[rows], factors, num_bins=num_bins)
    told = told / np.maximum(factor_entropies(factors), np.finfo(float).tiny)
    masks = questions.masks.astype(np.float64)
    aligned, sizes = alignment(masks, told), effective_sizes(masks)
    return {
        "mask_alignment": float(aligned.mean()),
        "mask_alignment_chance": float(alignment(np.ones_like(masks), told).mean()),
        "mask_overlap": overlap(masks),
        "mask_latents": float(sizes.mean()),
        **{f"mask_alignment_factor_{k}": float(value) for k, value in zip(columns, aligned, strict=True)},
        **{f"mask_latents_factor_{k}": float(value) for k, value in zip(columns, sizes, strict=True)},
    }


def alignment(
    masks: Float[np.ndarray, "question latent"], told: Float[np.ndarray, "latent question"]
) -> Float[np.ndarray, " question"]:
    """Of all that a question's latents tell, by the mask's weights, the share that is about its own factor."""
    by_question = masks @ told
    total = by_question.sum(axis=1)
    return np.divide(by_question.diagonal(), total, out=np.zeros(len(masks)), where=total > 0)


def overlap(masks: Float[np.ndarray, "question latent"]) -> float:
    """Mean cosine between two questions' masks; 0 of a single question, and of an empty mask with any other."""
    lengths = np.linalg.norm(masks, axis=1, keepdims=True)
    directions = np.divide(masks, lengths, out=np.zeros_like(masks), where=lengths > 0)
    pairs = (directions @ directions.T)[~np.eye(len(masks), dtype=bool)]
    return float(pairs.mean()) if pairs.size else 0.0


def effective_sizes(masks: Float[np.ndarray, "question latent"]) -> Float[np.ndarray, " question"]:
    """How many latents each mask has: e to the entropy of its shares; 0 of an empty one."""
    total = masks.sum(axis=1)
    is_empty = total == 0
    return np.where(is_empty, 0.0, np.exp(entropy(np.where(is_empty[:, None], 1.0, masks))))
