"""KL(q(z|x) || p(z)) averaged over the images, in three parts (Chen et al. 2018, eq. 2; Hoffman & Johnson 2016)."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.aggregate_posterior import (
    Posteriors,
    PosteriorSamples,
    draw_samples,
    log_densities,
    posteriors,
)
from disent_runner.metrics.estimators.posterior_kl import mean_kl
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_at_least, require_finite, require_logvar


@returns(
    Number("index_code_mi", unit="nats"),
    Number("total_correlation", "lower", unit="nats"),
    Number("dimensionwise_kl", unit="nats"),
    Number("kl", unit="nats"),
)
def kl_decomposition(rep: Representation, *, rng: np.random.Generator, num_samples: Count = 10_000) -> dict[str, float]:
    """Mean KL divergence from posterior to prior, `kl`, and its parts, as `kl_decomposition_from_posteriors` says.

    Raises:
        ValueError: the representation has no logvar, or `num_samples` is below 1.
    """
    logvar = require_logvar("kl_decomposition", rep)
    return kl_decomposition_from_posteriors(rep.codes, logvar, num_samples=num_samples, rng=rng)


def kl_decomposition_from_posteriors(
    mean: Float[np.ndarray, "image latent"],
    logvar: Float[np.ndarray, "image latent"],
    *,
    num_samples: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Parts of the mean KL divergence between q(z|n) and a standard normal, in nats.

    `index_code_mi` I(z; n) = KL(q(z, n) || q(z) p(n)), `total_correlation` KL(q(z) || prod_j q(z_j)) and
    `dimensionwise_kl` sum_j KL(q(z_j) || p(z_j)), with q(z) the average posterior of all images, are averages over
    `num_samples` codes drawn from it; they add up to `kl`, which is exact, but for their Monte Carlo errors.

    Raises:
        ValueError: a number is not finite, or `num_samples` is below 1.
    """
    require_at_least("kl_decomposition", 1, num_samples=num_samples)
    require_finite("kl_decomposition", mean)
    require_finite("kl_decomposition", logvar)
    components = posteriors(mean, logvar)
    samples = draw_samples(components, num_samples=num_samples, rng=rng)
    density = log_densities(samples, components)
    independent = density.marginal.sum(dim=0)
    return {
        "index_code_mi": (samples.log_own.sum(dim=0) - density.joint).mean().item(),
        "total_correlation": (density.joint - independent).mean().item(),
        "dimensionwise_kl": float((independent - _log_prior(samples, components)).mean() + components.widened.sum()),
        "kl": float(mean_kl(mean, logvar).sum()),
    }


def _log_prior(samples: PosteriorSamples, components: Posteriors) -> Float[Tensor, " sample"]:
    """Log density in nats of a standard normal, per volume in the units of the posteriors like the other densities."""
    unit, origin = torch.from_numpy(components.unit), torch.from_numpy(components.origin)
    codes = samples.codes.T * unit + origin
    return (unit.log() - codes.square() / 2 - math.log(2 * math.pi) / 2).sum(dim=1)
