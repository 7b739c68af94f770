"""Mean correlation coefficient: each factor beside a latent of its own (Hyvärinen & Morioka 2016, section 5)."""

import numpy as np
from jaxtyping import Float, Real
from scipy.optimize import linear_sum_assignment

from disent_runner.metrics.rank_correlation import signed_rank_correlation
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_finite, require_labels, require_varying_factors


@returns(Number("mcc", "higher", per_factor=True), Number("mcc_spearman", "higher", per_factor=True))
def mcc(rep: Representation, *, rng: np.random.Generator) -> dict[str, float]:
    """Absolute correlation in [0, 1] of each factor's values with a latent of its own, mean over factors.

    `mcc` is by Pearson's correlation, `mcc_spearman` by Spearman's; each is the mean of its `_factor_<k>`. Latents are
    given to factors one to one, so that the sum of correlations is largest, by each correlation anew. Where there are
    fewer latents than factors, those left without one have 0. Factors with a single value are left out.

    Raises:
        NotApplicable: no factor has more than one value.
    """
    rep = require_labels("mcc", rep)
    varying = require_varying_factors("mcc", rep.factors)
    require_finite("mcc", rep.codes)
    factors = rep.factors[:, varying]
    scores: dict[str, float] = {}
    for name, correlation in {"mcc": signed_correlation, "mcc_spearman": signed_rank_correlation}.items():
        values = one_to_one(np.abs(correlation(rep.codes, factors)))
        scores[name] = float(values.mean())
        scores |= {f"{name}_factor_{column}": float(value) for column, value in zip(varying, values, strict=True)}
    return scores


def one_to_one(affinity: Float[np.ndarray, "latent factor"]) -> Float[np.ndarray, " factor"]:
    """Affinity of each factor to the latent that is its own in the assignment of the largest sum; 0 without one."""
    latents, factors = linear_sum_assignment(affinity, maximize=True)
    values = np.zeros(affinity.shape[1])
    values[factors] = affinity[latents, factors]
    return values


def signed_correlation(
    codes: Float[np.ndarray, "image latent"], factors: Real[np.ndarray, "image factor"]
) -> Float[np.ndarray, "latent factor"]:
    """Pearson's correlation in [-1, 1] of each code with each factor's value index; 0 where either is constant."""
    return np.clip(_standard_scores(codes).T @ _standard_scores(factors), -1.0, 1.0)


def _standard_scores(values: np.ndarray) -> Float[np.ndarray, "image column"]:
    """Values less their mean, with norm 1; 0 of a constant column."""
    deviation = values - values[:1].astype(np.float64)  # of equal codes exactly 0, which a mean may miss
    deviation /= np.maximum(np.abs(deviation).max(axis=0), np.finfo(float).tiny)  # no square of it underflows
    deviation -= deviation.mean(axis=0)
    return deviation / np.maximum(np.linalg.norm(deviation, axis=0), np.finfo(float).tiny)
