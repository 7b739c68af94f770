"""Interventional robustness score: does a code stay put while other factors change (Suter et al. 2019)."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count, Share
from disent_runner.metrics.estimators.information import discretize
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
    Number("irs", "higher"),
    Number("irs_active_codes", unit="codes"),
)
def irs(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_samples: Count = 10_000,
    num_bins: Count = 20,
    quantile: Share = 0.99,
) -> dict[str, float]:
    """Interventional robustness, at most 1, `irs`, and the number of codes it is the mean of, `irs_active_codes`.

    From `num_samples` images drawn without replacement, or all if there are fewer. See `irs_from_arrays`.

    Raises:
        ValueError: no factor has more than one value, or a setting is out of range.
    """
    rep = require_labels("irs", rep)
    require_at_least("irs", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    codes = rep.codes[rows]
    score = irs_from_arrays(codes, rep.factors[rows], num_bins=num_bins, quantile=quantile)
    return {"irs": score, "irs_active_codes": float(len(_varying_codes(codes)))}


def irs_from_arrays(
    codes: Float[np.ndarray, "image latent"],
    factors: Integer[np.ndarray, "image factor"],
    *,
    num_bins: int = 20,
    quantile: float = 0.99,
) -> float:
    """Mean over codes, weighted by their largest deviation, of the robustness under the factor that serves them best.

    Constant codes and factors with a single value are left out; 0 if all codes are constant. A factor with more values
    than `num_bins` is put in that many bins of equal width. `quantile` of the deviations in a group stands for their
    maximum, which is the paper's (1.0). Below 0 only where outliers in groups that lie opposite each other allow it.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or a setting is out of range.
    """
    require_at_least("irs", 1, num_bins=num_bins)
    if not 0 <= quantile <= 1:
        raise ValueError(f"irs needs quantile from 0 to 1, got {quantile}")
    require_finite("irs", codes)
    factors = factors[:, require_varying_factors("irs", factors)]
    codes = codes[:, _varying_codes(codes)].astype(np.float64)
    if codes.shape[1] == 0:
        return 0.0
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    deviations = [_deviation(codes, _bin(values, num_bins), quantile) for values in factors.T]
    robustness = 1 - np.min(deviations, axis=0) / largest
    return float(np.average(robustness, weights=largest))


def _varying_codes(codes: Float[np.ndarray, "image latent"]) -> Integer[np.ndarray, " varying"]:
    """Columns of codes with more than one value; a variance above 0 may be rounding."""
    return np.flatnonzero(codes.min(axis=0) != codes.max(axis=0))


def _bin(values: Integer[np.ndarray, " image"], num_bins: int) -> Integer[np.ndarray, " image"]:
    if len(np.unique(values)) <= num_bins:
        return values
    return discretize(values[:, None].astype(np.float64), num_bins)[:, 0]


def _deviation(
    codes: Float[np.ndarray, "image latent"], values: Integer[np.ndarray, " image"], quantile: float
) -> Float[np.ndarray, " latent"]:
    """Mean over a factor's values of how far codes stray from their mean while it has that value."""
    order = np.argsort(values, kind="stable")
    groups = np.split(codes[order], np.flatnonzero(np.diff(values[order])) + 1)
    return np.mean([np.quantile(np.abs(group - group.mean(axis=0)), quantile, axis=0) for group in groups], axis=0)
