"""MIG-sup: does each code tell of one factor only? (Li et al. 2020)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, NonNegative, Several
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


@returns(
    Number("mig_sup", "higher"),
    Number("mig_sup_active", "higher"),
    Number("mig_sup_active_codes", unit="codes"),
)
def mig_sup(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_samples: Several = 10_000,
    num_bins: Count = 20,
    active_variance: NonNegative = 0.01,
) -> dict[str, float]:
    """Mean over codes of the gap between the two factors that a code tells most of, in [0, 1].

    From `num_samples` images drawn without replacement, or all if there are fewer. Returns what `mig_sup_from_arrays`
    does.

    Raises:
        ValueError: no factor has more than one value, or a setting is too small.
    """
    rep = require_labels("mig_sup", rep)
    require_at_least("mig_sup", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    return mig_sup_from_arrays(rep.codes[rows], rep.factors[rows], num_bins=num_bins, active_variance=active_variance)


def mig_sup_from_arrays(
    codes: Float[np.ndarray, "image latent"],
    factors: Integer[np.ndarray, "image factor"],
    *,
    num_bins: int = 20,
    active_variance: float = 0.01,
) -> dict[str, float]:
    """`mig_sup`, the mean gap of all codes, and `mig_sup_active`, that of codes whose variance exceeds a threshold.

    A code's information on each factor is divided by the factor's entropy; its gap is between the two largest. A single
    factor's rival tells 0. `mig_sup_active_codes` counts the active ones; if there are none, `mig_sup_active` is 0.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or a setting is too small.
    """
    require_at_least("mig_sup", 1, num_bins=num_bins)
    if active_variance < 0:
        raise ValueError(f"mig_sup needs active_variance >= 0, got {active_variance}")
    require_finite("mig_sup", codes)
    chosen = factors[:, require_varying_factors("mig_sup", factors)]
    normalized = mutual_information_matrix(codes, chosen, num_bins=num_bins) / factor_entropies(chosen)
    gaps = information_gap(normalized.T, np.ones(len(normalized)))
    active = (np.ptp(codes, axis=0) > 0) & (codes.var(axis=0, dtype=np.float64) > active_variance)
    return {
        "mig_sup": float(gaps.mean()),
        "mig_sup_active": float(gaps[active].mean()) if active.any() else 0.0,
        "mig_sup_active_codes": float(active.sum()),
    }
