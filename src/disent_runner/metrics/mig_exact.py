"""Mutual information gap from posterior densities, without bins (Chen et al. 2018, section 4 and appendix C)."""

from functools import partial
from typing import TypedDict

import numpy as np
import torch
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.aggregate_posterior import (
    Posteriors,
    PosteriorSamples,
    draw_samples,
    log_conditionals,
    posteriors,
)
from disent_runner.metrics.estimators.information import factor_entropies, information_gap
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation, check_weights
from disent_runner.representations.requirements import (
    require_at_least,
    require_finite,
    require_labels,
    require_logvar,
    require_varying_factors,
)


class ExactMIG(TypedDict):
    """The gap in [0, 1], each factor's own (NaN where it does not vary), and the information (D, K) in nats."""

    mig_exact: float
    gaps: Float[np.ndarray, " factor"]
    mutual_information: Float[np.ndarray, "latent factor"]


@returns(
    Number("mig_exact", "higher", per_factor=True),
    Number("mig_exact_average_max_information", "higher", unit="nats"),
    Number("mig_exact_joint", "higher"),
)
def mig_exact(rep: Representation, *, rng: np.random.Generator, num_samples: Count = 10_000) -> dict[str, float]:
    """Mutual information gap in [0, 1]: `mig_exact`, and `mig_exact_factor_<k>` for each factor k that it is a mean of.

    Beside it `mig_exact_average_max_information`: what the best code tells of a factor, in nats, averaged over factors.
    Where images have weights, `mig_exact_joint` is the gap under them, if a factor varies in what they leave.
    See `mig_exact_from_posteriors`. Chen et al. leave out the shape of dSprites: average the other factors for that.

    Raises:
        ValueError: the representation has no logvar, no factor varies, or `num_samples` is below 1.
    """
    rep = require_labels("mig_exact", rep)
    logvar = require_logvar("mig_exact", rep)
    score = partial(
        mig_exact_from_posteriors,
        rep.codes,
        logvar,
        rep.factors,
        factor_sizes=rep.factor_sizes,
        num_samples=num_samples,
        rng=rng,
    )
    result = score()
    parts = {f"mig_exact_factor_{k}": float(gap) for k, gap in enumerate(result["gaps"]) if not np.isnan(gap)}
    varies = ~np.isnan(result["gaps"])
    best = result["mutual_information"][:, varies].max(axis=0).mean()
    joint: dict[str, float] = {}
    if rep.weights is not None and _varies_under(rep.weights, rep.factors):
        joint["mig_exact_joint"] = score(weights=rep.weights)["mig_exact"]
    return {"mig_exact": result["mig_exact"], "mig_exact_average_max_information": float(best), **joint, **parts}


def _varies_under(weights: Float[np.ndarray, " image"], factors: Integer[np.ndarray, "image factor"]) -> bool:
    possible = factors[weights > 0]
    return bool((possible != possible[0]).any())


def mig_exact_from_posteriors(
    mean: Float[np.ndarray, "image latent"],
    logvar: Float[np.ndarray, "image latent"],
    factors: Integer[np.ndarray, "image factor"],
    *,
    factor_sizes: tuple[int, ...],
    num_samples: int,
    rng: np.random.Generator,
    weights: Float[np.ndarray, " image"] | None = None,
) -> ExactMIG:
    """Gap in information about each factor between the two codes that tell most of it, and that information.

    I(z_j; v_k) = E[log q(z_j|v_k)] - E[log q(z_j)] with samples z of random images n: q(z_j) averages the posteriors of
    all images, q(z_j|v_k) those of the images with n's value. Both expectations use the same samples, so that the error
    goes with the information. It is clamped at 0 and divided by the entropy that the factor has in these images, the
    log of its size on a full grid. A factor with a single value tells 0 nats and is left out of the mean. Two codes
    that tell the same amount leave a gap of about the Monte Carlo error, not 0.

    With weights n is drawn, the densities are averaged and the entropy is taken by weight.

    Raises:
        ValueError: no factor varies, a value is outside its factor, a number is not finite, `num_samples` is below 1,
            or weights are no distribution over the images.
    """
    require_at_least("mig_exact", 1, num_samples=num_samples)
    require_finite("mig_exact", mean)
    require_finite("mig_exact", logvar)
    if weights is not None:
        check_weights(weights, num_images=len(mean))
        possible = weights > 0
        mean, logvar, factors, weights = mean[possible], logvar[possible], factors[possible], weights[possible]
    varying = require_varying_factors("mig_exact", factors)
    _check_sizes(factors, factor_sizes)
    components = posteriors(mean, logvar)
    samples = draw_samples(components, num_samples=num_samples, rng=rng, weights=weights)
    information = np.zeros((mean.shape[1], factors.shape[1]))
    information[:, varying] = _mutual_information(samples, components, factors[:, varying], weights)
    gaps = np.full(factors.shape[1], np.nan)
    gaps[varying] = information_gap(information[:, varying], factor_entropies(factors[:, varying], weights=weights))
    return {"mig_exact": float(gaps[varying].mean()), "gaps": gaps, "mutual_information": information}


def _check_sizes(factors: Integer[np.ndarray, "image factor"], factor_sizes: tuple[int, ...]) -> None:
    largest = tuple(factors.max(axis=0).tolist())
    if len(largest) != len(factor_sizes) or any(top >= size for top, size in zip(largest, factor_sizes, strict=True)):
        raise ValueError(f"mig_exact needs factor values below factor_sizes {factor_sizes}, got up to {largest}")


def _mutual_information(
    samples: PosteriorSamples,
    components: Posteriors,
    factors: Integer[np.ndarray, "image factor"],
    weights: Float[np.ndarray, " image"] | None,
) -> Float[np.ndarray, "latent factor"]:
    log_density = partial(log_conditionals, samples, components, weights=weights)
    marginal = log_density(np.zeros(len(factors), dtype=np.uint8))
    gains = [(log_density(values) - marginal).mean(dim=1) for values in factors.T]
    return torch.stack(gains, dim=1).clamp(min=0.0).numpy()
