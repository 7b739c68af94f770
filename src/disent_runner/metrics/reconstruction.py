"""How well the decoder gives back the images: negative log-likelihood, squared error, signal-to-noise ratio."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import require_at_least, require_autoencoder

_IMAGES_AT_ONCE = 256
SMALLEST_SQUARED_ERROR = 1e-10
"""A smaller squared error per pixel is that of rounding in single precision: the ratio stays below 100 dB."""


@returns(
    Number("reconstruction", "lower", unit="nats"),
    Number("reconstruction_bits_per_dim", "lower", unit="bits"),
    Number("reconstruction_mse", "lower"),
    Number("reconstruction_psnr", "higher", unit="dB"),
    Number("reconstruction_sampled", "lower", unit="nats"),
)
def reconstruction(rep: Representation, *, rng: np.random.Generator, num_images: Count = 5_000) -> dict[str, float]:
    """Reconstruction of `num_images` images from their codes, or of all if there are fewer, averaged over the images.

    `reconstruction_mse` is the squared error per number of the image, `reconstruction_psnr` the peak signal-to-noise
    ratio in decibels. With a likelihood also `reconstruction`, -log p(x|z) in nats per image, and
    `reconstruction_bits_per_dim`, the same in bits per number of the image; of a density (Gaussian, continuous
    Bernoulli) both may be negative. Where the posteriors are known also `reconstruction_sampled`, the expectation of
    -log p(x|z) in nats under q(z|x), by one sample per image: the reconstruction term of the ELBO.

    Raises:
        ValueError: only codes are known, the decoder's images are not finite or not of the images' shape, or
            `num_images` is below 1.
    """
    autoencoder = require_autoencoder("reconstruction", rep)
    require_at_least("reconstruction", 1, num_images=num_images)
    rows = draw_rows(len(rep.codes), num_images, rng)
    codes = rep.codes[rows].astype(np.float64)
    error = _squared_errors(autoencoder, codes, rows)
    scores = {
        "reconstruction_mse": float(error.mean()),
        "reconstruction_psnr": float(signal_to_noise_ratio(error).mean()),
    }
    if autoencoder.nll is None:
        return scores
    nats = negative_log_likelihoods("reconstruction", autoencoder.nll, codes, rows).mean()
    bits = bits_per_dim(nats, num_dims=autoencoder.images(rows[:1]).size)
    scores = {"reconstruction": float(nats), "reconstruction_bits_per_dim": bits} | scores
    if rep.logvar is not None:
        sampled = codes + np.exp(rep.logvar[rows] / 2) * rng.standard_normal(codes.shape)
        nll = negative_log_likelihoods("reconstruction", autoencoder.nll, sampled, rows)
        scores["reconstruction_sampled"] = float(nll.mean())
    return scores


def signal_to_noise_ratio(squared_error: Float[np.ndarray, " image"]) -> Float[np.ndarray, " image"]:
    """Peak signal-to-noise ratio of images in [0, 1] in decibels, at most 100, of squared errors per pixel."""
    return -10 * np.log10(np.maximum(squared_error, SMALLEST_SQUARED_ERROR))


def bits_per_dim(nats: float, *, num_dims: int) -> float:
    """Bits per number of the image, of which there are `num_dims`, of nats per image."""
    return float(nats / (math.log(2) * num_dims))


def negative_log_likelihoods(
    metric: str,
    nll: Callable[[np.ndarray, np.ndarray], np.ndarray],
    codes: Float[np.ndarray, "code latent"],
    rows: Integer[np.ndarray, " code"],
) -> Float[np.ndarray, " code"]:
    """-log p(x|z) in nats of the image in each row given its code; ValueError, naming the metric, if not finite."""
    nats = nll(codes, rows).astype(np.float64)
    if not np.isfinite(nats).all():
        raise ValueError(
            f"{metric} needs a finite -log p(x|z), got {int((~np.isfinite(nats)).sum())} of {len(nats)} that are NaN or"
            " infinite; check the training"
        )
    return nats


def _squared_errors(
    autoencoder: Autoencoder, codes: Float[np.ndarray, "image latent"], rows: Integer[np.ndarray, " image"]
) -> Float[np.ndarray, " image"]:
    """Squared error per number of the image."""
    parts = []
    for first in range(0, len(rows), _IMAGES_AT_ONCE):
        part = slice(first, first + _IMAGES_AT_ONCE)
        images, decoded = autoencoder.images(rows[part]), autoencoder.decode(codes[part])
        if images.shape != decoded.shape or not np.isfinite(decoded).all():
            raise ValueError(
                f"reconstruction needs finite decoded images of shape {images.shape}, got {decoded.shape} "
                f"with {int((~np.isfinite(decoded)).sum())} values that are NaN or infinite"
            )
        parts.append(np.square(decoded - images).reshape(len(images), -1).mean(axis=1, dtype=np.float64))
    return np.concatenate(parts)
