"""Verification: are codes of two images nearer each other where a factor is the same? (Reed et al. 2014)"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from disent_runner.machine.ranges import Count, SomeNames
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_finite,
    require_labels,
    require_part,
)


@returns(Number("verification", "higher", per_factor=True, of_all=False, sizes="parts"))
def verification(
    rep: Representation, *, rng: np.random.Generator, parts: SomeNames = ("m", "h"), num_pairs: Count = 100_000
) -> dict[str, float]:
    """Area under the ROC curve in [0, 1] of the cosine of two images' codes, as a sign that they share a factor value.

    `verification_<part>_factor_<k>`, of one part of the codes, each from `num_pairs` pairs of different images, half
    of which, where there are so many, share the value. 0.5 is chance. For a part that is not meant to tell of a factor,
    nearer to 0.5 is better. Factors are left out that no two images, or all, have in common.

    Raises:
        NotApplicable: codes that are one whole, or no such factor.
        ValueError: no such part, or no pair wanted.
    """
    rep = require_labels("verification", rep)
    require_at_least("verification", 1, num_pairs=num_pairs)
    require_finite("verification", rep.codes)
    places = {part: require_part("verification", rep, part) for part in parts}
    first = rng.integers(len(rep.codes), size=8 * num_pairs)
    second = (first + rng.integers(1, len(rep.codes), size=len(first))) % len(rep.codes)
    scores: dict[str, float] = {}
    for column in range(rep.factors.shape[1]):
        is_same = rep.factors[first, column] == rep.factors[second, column]
        chosen = np.concatenate([np.flatnonzero(is_same == kind)[: -(-num_pairs // 2)] for kind in (True, False)])
        if is_same.all() or not is_same.any():
            continue
        for part, place in places.items():
            cosine = cosines(rep.codes[first[chosen], place], rep.codes[second[chosen], place])
            scores[f"verification_{part}_factor_{column}"] = area_under_roc(cosine, is_same[chosen])
    if not scores:
        raise NotApplicable("verification needs a factor that some pairs of images share and others do not, got none")
    return scores


def cosines(
    first: Float[np.ndarray, "pair code"], second: Float[np.ndarray, "pair code"]
) -> Float[np.ndarray, " pair"]:
    """Of the angle between two codes; 0 with a code of length 0."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    product = (first * second).sum(axis=1, dtype=np.float64)
    return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)


def area_under_roc(scores: Float[np.ndarray, " pair"], is_positive: Bool[np.ndarray, " pair"]) -> float:
    """Chance that a positive one scores higher than a negative one, ties counting half (Mann and Whitney's U)."""
    num_positive = int(is_positive.sum())
    above = rankdata(scores)[is_positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * (len(scores) - num_positive)))
