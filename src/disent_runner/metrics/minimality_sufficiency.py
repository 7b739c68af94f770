"""Minimality and sufficiency: disentanglement of factors that may depend on each other (Almudévar & Ortega 2024)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, Several
from disent_runner.metrics.estimators.information import (
    discretize,
    factor_entropies,
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


@returns(Number("minimality", "higher"), Number("sufficiency", "higher", per_factor=True))
def minimality_sufficiency(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Count = 15
) -> dict[str, float]:
    """Which share of a code one factor accounts for, and of a factor one code, both in [0, 1].

    `minimality` is the mean over codes of the largest I(code; factor) / H(code), `sufficiency` the mean over factors of
    the largest I(code; factor) / H(factor), which is `sufficiency_factor_<k>`. A constant code has 0; factors with a
    single value are left out. Codes are binned. From `num_samples` images drawn without replacement, or all if there
    are fewer.

    Raises:
        NotApplicable: no factor has more than one value.
        ValueError: a setting below 1.
    """
    rep = require_labels("minimality_sufficiency", rep)
    require_at_least("minimality_sufficiency", 1, num_samples=num_samples, num_bins=num_bins)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    columns = require_varying_factors("minimality_sufficiency", rep.factors[rows])
    minimality, sufficiency = minimality_sufficiency_from_arrays(
        rep.codes[rows], rep.factors[np.ix_(rows, columns)], num_bins=num_bins
    )
    parts = {f"sufficiency_factor_{k}": float(value) for k, value in zip(columns, sufficiency, strict=True)}
    return {"minimality": float(minimality.mean()), "sufficiency": float(sufficiency.mean()), **parts}


def minimality_sufficiency_from_arrays(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int = 15
) -> tuple[Float[np.ndarray, " latent"], Float[np.ndarray, " factor"]]:
    """Minimality of each code and sufficiency of each factor's best code; every factor must vary.

    Raises:
        ValueError: a code is not finite.
    """
    require_finite("minimality_sufficiency", codes)
    information = mutual_information_matrix(codes, factors, num_bins=num_bins)
    of_codes, of_factors = factor_entropies(discretize(codes, num_bins)), factor_entropies(factors)
    most = information.max(axis=1)
    minimality = np.divide(most, of_codes, out=np.zeros_like(most), where=of_codes > 0)
    return np.minimum(minimality, 1.0), np.minimum(information.max(axis=0) / of_factors, 1.0)
