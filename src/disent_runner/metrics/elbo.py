"""Lower bounds of the log-likelihood: the ELBO, and the importance-weighted bound (Burda et al. 2016, section 3)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer

from disent_runner.losses.gaussian import kl_to_standard_normal
from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.sampling import chunk_sizes, draw_rows
from disent_runner.metrics.reconstruction import bits_per_dim, negative_log_likelihoods
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_autoencoder,
    require_logvar,
)


class Bounds(NamedTuple):
    """Lower bounds of log p(x) in nats, of each image."""

    elbo: Float[np.ndarray, " image"]
    importance_weighted: Float[np.ndarray, " image"]


@returns(
    Number("elbo", "higher", unit="nats"),
    Number("elbo_standard_error", unit="nats"),
    Number("importance_weighted_bound", "higher", unit="nats"),
    Number("importance_weighted_bound_standard_error", unit="nats"),
    Number("importance_weighted_bits_per_dim", "lower", unit="bits"),
)
def elbo(
    rep: Representation, *, rng: np.random.Generator, num_images: Count = 1_000, num_importance_samples: Count = 64
) -> dict[str, float]:
    """Bounds of log p(x) in nats per image: `elbo` and the tighter `importance_weighted_bound`.

    Averages over `num_images` images, or all if there are fewer, each with its standard error over the images
    (`…_standard_error`, left out for one image). Both take the same `num_importance_samples` codes of each image; the
    KL divergence of the ELBO is exact. `importance_weighted_bits_per_dim` is minus the second bound in bits per number
    of the image. The likelihood may be a density (Gaussian, continuous Bernoulli).

    Raises:
        ValueError: only codes are known, the model has no posterior or no likelihood, or a setting is below 1.
    """
    autoencoder = require_autoencoder("elbo", rep)
    logvar = require_logvar("elbo", rep)
    if autoencoder.nll is None:
        raise NotApplicable("elbo needs the model's likelihood p(x|z), got a decoder without one")
    require_at_least("elbo", 1, num_images=num_images, num_importance_samples=num_importance_samples)
    rows = draw_rows(len(rep.codes), num_images, rng)
    bounds = bounds_of_images(
        autoencoder.nll, rows, rep.codes[rows], logvar[rows], num_importance_samples=num_importance_samples, rng=rng
    )
    tighter = bounds.importance_weighted.mean()
    return {
        **_with_standard_error("elbo", bounds.elbo),
        **_with_standard_error("importance_weighted_bound", bounds.importance_weighted),
        "importance_weighted_bits_per_dim": bits_per_dim(-tighter, num_dims=autoencoder.images(rows[:1]).size),
    }


def bounds_of_images(
    nll: Callable[[np.ndarray, np.ndarray], np.ndarray],
    rows: Integer[np.ndarray, " image"],
    mean: Float[np.ndarray, "image latent"],
    logvar: Float[np.ndarray, "image latent"],
    *,
    num_importance_samples: int,
    rng: np.random.Generator,
) -> Bounds:
    """ELBO and importance-weighted bound of the images in these rows, in nats, under a standard normal prior.

    The bounds' expectations are at most log p(x), and that of the second one rises with the number of samples
    (Burda et al. 2016, theorem 1). ValueError if a likelihood is not finite.
    """
    ends = np.cumsum(list(chunk_sizes(len(rows), num_importance_samples * mean.shape[1])))
    parts = [
        _bounds(
            nll,
            rows[part],
            mean[part].astype(np.float64),
            logvar[part].astype(np.float64),
            noise=rng.standard_normal((len(part), num_importance_samples, mean.shape[1])),
        )
        for part in np.split(np.arange(len(rows)), ends[:-1])
    ]
    return Bounds(*map(np.concatenate, zip(*parts, strict=True)))


def _bounds(
    nll: Callable[[np.ndarray, np.ndarray], np.ndarray],
    rows: Integer[np.ndarray, " image"],
    mean: Float[np.ndarray, "image latent"],
    logvar: Float[np.ndarray, "image latent"],
    noise: Float[np.ndarray, "image sample latent"],
) -> Bounds:
    num_images, num_samples, num_latents = noise.shape
    codes = mean[:, None] + np.exp(logvar[:, None] / 2) * noise
    repeated = np.repeat(rows, num_samples)
    nats = negative_log_likelihoods("elbo", nll, codes.reshape(-1, num_latents), repeated)
    log_likelihood = -nats.reshape(num_images, num_samples)
    log_ratio = 0.5 * (noise**2 - codes**2 + logvar[:, None]).sum(axis=2)  # log p(z) - log q(z|x)
    log_weights = torch.from_numpy(log_likelihood + log_ratio)
    kl = kl_to_standard_normal(torch.from_numpy(mean), torch.from_numpy(logvar)).sum(dim=1).numpy()
    return Bounds(
        elbo=log_likelihood.mean(axis=1) - kl,
        importance_weighted=log_weights.logsumexp(dim=1).numpy() - math.log(num_samples),
    )


def _with_standard_error(name: str, values: Float[np.ndarray, " image"]) -> dict[str, float]:
    if len(values) < 2:
        return {name: float(values.mean())}
    return {
        name: float(values.mean()),
        f"{name}_standard_error": float(values.std(ddof=1) / math.sqrt(len(values))),
    }
