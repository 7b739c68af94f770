"""JEMMIG and RMIG: is each factor told by one code, and the code of nothing else? (Do & Tran 2020)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, Several
from disent_runner.metrics.estimators.information import (
    discretize,
    factor_entropies,
    information_gap,
    mutual_information_matrix,
)
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)

TIE = 1e-12  # nats; rounding of a sum of entropies stays below, so that it does not choose between codes


@returns(
    Number("jemmig", "higher", per_factor=True),
    Number("jemmig_nats", "lower", unit="nats", per_factor=True),
    Number("rmig", "higher", per_factor=True),
)
def jemmig(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Count = 20
) -> dict[str, float]:
    """Normalised joint entropy minus mutual information gap, in [0, 1], higher is better; also in nats, and RMIG.

    From `num_samples` images drawn without replacement, or all if there are fewer. Returns what `jemmig_from_arrays`
    does.

    Raises:
        ValueError: no factor has more than one value, or a setting is below 1.
    """
    rep = require_labels("jemmig", rep)
    require_at_least("jemmig", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    return jemmig_from_arrays(rep.codes[rows], rep.factors[rows], num_bins=num_bins)


def jemmig_from_arrays(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int = 20
) -> dict[str, float]:
    """Means over factors, each with `<key>_factor_<k>` for each factor k that varies.

    With z the binned code that tells most of factor v, and z' the next: `rmig` is I(z, v) - I(z', v), `jemmig_nats` is
    H(z, v) - `rmig` (lower is better), both in nats; `jemmig` is 1 - `jemmig_nats` / (H(v) + log `num_bins`). Of codes
    that tell equally much, z is the one of smallest joint entropy. One code: its rival tells 0 nats.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or `num_bins` is below 1.
    """
    require_at_least("jemmig", 1, num_bins=num_bins)
    require_finite("jemmig", codes)
    varying = require_varying_factors("jemmig", factors)
    chosen = factors[:, varying]
    entropies = factor_entropies(chosen)
    information = mutual_information_matrix(codes, chosen, num_bins=num_bins)
    joint_entropies = factor_entropies(discretize(codes, num_bins))[:, None] + entropies - information
    best = information >= information.max(axis=0) - TIE
    gap = information_gap(information, np.ones(len(varying)))
    nats = np.where(best, joint_entropies, np.inf).min(axis=0) - gap
    by_key = {"jemmig": 1 - nats / (entropies + np.log(num_bins)), "jemmig_nats": nats, "rmig": gap}
    return {key: float(values.mean()) for key, values in by_key.items()} | {
        f"{key}_factor_{factor}": float(value)
        for key, values in by_key.items()
        for factor, value in zip(varying, values, strict=True)
    }
