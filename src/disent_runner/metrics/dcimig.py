"""DCIMIG: how much of the factors is told by codes that tell of nothing else (Sepliarskaia et al. 2019)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, Several
from disent_runner.metrics.estimators.information import factor_entropies, information_gap, mutual_information_matrix
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)


@returns(Number("dcimig", "higher", per_factor=True))
def dcimig(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Count = 20
) -> dict[str, float]:
    """Sum over factors of the best gap of a code that is theirs, as a fraction of their entropies, in [0, 1].

    From `num_samples` images drawn without replacement, or all if there are fewer. Returns what `dcimig_from_arrays`
    does.

    Raises:
        ValueError: no factor has more than one value, or a setting is below 1.
    """
    rep = require_labels("dcimig", rep)
    require_at_least("dcimig", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    return dcimig_from_arrays(rep.codes[rows], rep.factors[rows], num_bins=num_bins)


def dcimig_from_arrays(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int = 20
) -> dict[str, float]:
    """`dcimig`, and `dcimig_factor_<k>` for each factor k that varies, whose mean weighted by entropy it is.

    A code belongs to the factor that it tells most nats of; its gap is what it tells of that factor beyond the next
    one (beyond 0 if only one factor varies). A factor's number is the largest gap of its codes, as a fraction of its
    entropy; 0 if it has no code.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or `num_bins` is below 1.
    """
    require_at_least("dcimig", 1, num_bins=num_bins)
    require_finite("dcimig", codes)
    varying = require_varying_factors("dcimig", factors)
    chosen = factors[:, varying]
    entropies = factor_entropies(chosen)
    information = mutual_information_matrix(codes, chosen, num_bins=num_bins)
    best_gap = np.zeros(len(varying))
    np.maximum.at(best_gap, information.argmax(axis=1), information_gap(information.T, np.ones(len(information))))
    fractions = best_gap / entropies
    return {"dcimig": float(best_gap.sum() / entropies.sum())} | {
        f"dcimig_factor_{factor}": float(value) for factor, value in zip(varying, fractions, strict=True)
    }
