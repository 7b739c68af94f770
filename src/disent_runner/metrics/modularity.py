"""Modularity: does each code tell of one factor only (Ridgeway & Mozer 2018)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, NonNegative, Several
from disent_runner.metrics.estimators.information import mutual_information_matrix
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)

ROUNDING = 1e-12  # nats that a constant code may seem to tell


@returns(
    Number("modularity", "higher"),
    Number("modularity_active", "higher"),
    Number("modularity_active_codes", unit="codes"),
)
def modularity(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_samples: Several = 10_000,
    num_bins: Count = 20,
    prune_threshold: NonNegative = 0.05,
) -> dict[str, float]:
    """Mean modularity of all codes in [0, 1], `modularity`, and of those in use, `modularity_active`.

    A code that tells nothing counts as 0 in the former, so that unused latents lower it, and one of mere noise counts
    with whatever modularity its chance information has. The latter leaves out both: codes that tell nothing, or whose
    standard deviation is below `prune_threshold`; `modularity_active_codes` counts the others, 0 if there is none.
    From `num_samples` images drawn without replacement, or all if there are fewer.

    Raises:
        ValueError: fewer than two factors have more than one value, or a setting is below 1.
    """
    rep = require_labels("modularity", rep)
    require_at_least("modularity", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    codes = rep.codes[rows]
    information = _information(codes, rep.factors[rows], num_bins=num_bins)
    scores = modularity_of_codes(information)
    active = scores[(information.max(axis=1) > 0) & (codes.std(axis=0, dtype=np.float64) >= prune_threshold)]
    return {
        "modularity": float(scores.mean()),
        "modularity_active": float(active.mean()) if len(active) else 0.0,
        "modularity_active_codes": float(len(active)),
    }


def modularity_from_arrays(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int = 20
) -> float:
    """Mean modularity of the codes in [0, 1]; factors with a single value are left out.

    Raises:
        ValueError: fewer than two factors have more than one value, a code is not finite, or `num_bins` is below 1.
    """
    return float(modularity_of_codes(_information(codes, factors, num_bins=num_bins)).mean())


def modularity_of_codes(mutual_information: Float[np.ndarray, "latent factor"]) -> Float[np.ndarray, " latent"]:
    """1 - the mean square of a code's mutual information with all factors but its best, as a fraction of the best's.

    In [0, 1]; 0 for a code without information. There must be two factors or more.
    """
    best = mutual_information.max(axis=1, keepdims=True)
    of_nothing = np.ones_like(mutual_information)  # as if it told the same of every factor
    fraction = np.divide(mutual_information, best, out=of_nothing, where=best > 0)
    return 1 - ((fraction**2).sum(axis=1) - 1) / (mutual_information.shape[1] - 1)


def _information(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int
) -> Float[np.ndarray, "latent varying"]:
    """Nats that each code tells of each factor with more than one value."""
    require_at_least("modularity", 1, num_bins=num_bins)
    require_finite("modularity", codes)
    varying = require_varying_factors("modularity", factors, minimum=2)
    information = mutual_information_matrix(codes, factors[:, varying], num_bins=num_bins)
    return np.where(information > ROUNDING, information, 0.0)
