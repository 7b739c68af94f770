"""Mutual information gap with binned codes (Chen et al. 2018, section 4; bins as in Locatello et al. 2019)."""

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


@returns(
    Number("mig", "higher", per_factor=True),
    Number("mig_average_max_information", "higher", unit="nats"),
)
def mig(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Count = 20
) -> dict[str, float]:
    """Mutual information gap in [0, 1]: `mig`, and `mig_factor_<k>` for each factor k that it is the mean of.

    Beside it `mig_average_max_information`: what the best code tells of a factor, in nats, averaged over the factors.
    From `num_samples` images drawn without replacement, or all if there are fewer. A factor with more values than bins
    cannot reach 1 (dSprites with 20 bins: 0.896 for a perfect code). `mig_exact` needs no bins but the posteriors.

    Raises:
        ValueError: no factor has more than one value, or a setting is below 1.
    """
    rep = require_labels("mig", rep)
    require_at_least("mig", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    factors = rep.factors[rows]
    information = _information(rep.codes[rows], factors, num_bins=num_bins)
    gaps = _gaps(information, factors)
    parts = {f"mig_factor_{factor}": gap for factor, gap in gaps.items()}
    best = information[:, list(gaps)].max(axis=0)
    return {"mig": _mean(gaps), "mig_average_max_information": float(best.mean()), **parts}


def mig_from_arrays(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int = 20
) -> float:
    """Mean over factors of the gap in mutual information between the two codes that tell most of it, in [0, 1].

    Each gap is divided by the factor's entropy; a factor with a single value has none and is left out. One code: its
    rival tells 0 nats.

    Raises:
        ValueError: no factor has more than one value, a code is not finite, or `num_bins` is below 1.
    """
    return _mean(_gaps(_information(codes, factors, num_bins=num_bins), factors))


def _information(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int
) -> Float[np.ndarray, "latent factor"]:
    require_at_least("mig", 1, num_bins=num_bins)
    require_finite("mig", codes)
    return mutual_information_matrix(codes, factors, num_bins=num_bins)


def _gaps(
    information: Float[np.ndarray, "latent factor"], factors: Integer[np.ndarray, "image factor"]
) -> dict[int, float]:
    """Gap of each factor that varies, by its column."""
    varying = require_varying_factors("mig", factors)
    gaps = information_gap(information[:, varying], factor_entropies(factors[:, varying]))
    return dict(zip(varying.tolist(), gaps.tolist(), strict=True))


def _mean(gaps: dict[int, float]) -> float:
    return sum(gaps.values()) / len(gaps)
