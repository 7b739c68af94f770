"""Moment correlation: does a code slant or widen what is drawn (as the codes of Chen et al. 2016, figure 2, do)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from disent_runner.machine.ranges import Several
from disent_runner.metrics.rank_correlation import signed_rank_correlation
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_autoencoder,
    require_finite,
)


class Moments(NamedTuple):
    """Two numbers of each image, in pixels of its brightness."""

    slant: Float[np.ndarray, " image"]
    width: Float[np.ndarray, " image"]


@returns(
    Number("moment_correlation", "higher"),
    Number("moment_correlation_slant", "higher"),
    Number("moment_correlation_width", "higher"),
)
def moment_correlation(
    rep: Representation, *, rng: np.random.Generator, num_images: Several = 2_000
) -> dict[str, float]:
    """Absolute rank correlation (Spearman's) in [0, 1] of one continuous code with the `moments` of generated images.

    `moment_correlation_slant` and `_width` are of the code most correlated with that moment, `moment_correlation` is
    their mean. The codes of `num_images` images are drawn from the prior, and so is the noise of a model that has some.

    Raises:
        NotApplicable: only codes are known, or none is continuous.
        ValueError: `num_images` below 2, or a pixel that is not finite.
    """
    autoencoder = require_autoencoder("moment_correlation", rep)
    require_at_least("moment_correlation", 2, num_images=num_images)
    first = sum(rep.categorical)
    if first == rep.codes.shape[1]:
        raise NotApplicable(f"moment_correlation needs a continuous code, got categorical ones of {rep.categorical}")
    codes = autoencoder.prior(num_images, rng)
    if autoencoder.render is None:
        images = autoencoder.decode(codes)
    else:
        images = autoencoder.render(codes, rng.standard_normal((num_images, autoencoder.noise_dim), dtype=np.float32))
    require_finite("moment_correlation", images)
    image_moments = moments(images)
    correlation = np.abs(signed_rank_correlation(codes[:, first:], np.column_stack(image_moments))).max(axis=0)
    parts = {
        f"moment_correlation_{name}": float(value)
        for name, value in zip(image_moments._fields, correlation, strict=True)
    }
    return {"moment_correlation": float(correlation.mean())} | parts


def moments(images: Float[np.ndarray, "image channel row column"]) -> Moments:
    """Slant and width of images, their pixels weighted by brightness, channels added up; both 0 where nothing is lit.

    `slant`: the least squares slope of the column on the row, by how many pixels what is drawn moves to the right from
    one row to the next; 0 in a single row. `width`: the standard deviation of columns about that line, so that slanting
    does not widen.
    """
    weights = images.sum(axis=1, dtype=np.float64)
    weights /= np.maximum(weights.sum(axis=(1, 2), keepdims=True), np.finfo(float).tiny)
    rows, columns = map(np.arange, weights.shape[1:])
    by_row, by_column = weights.sum(axis=2), weights.sum(axis=1)
    row, column = by_row @ rows, by_column @ columns
    row_variance = by_row @ rows**2 - row**2
    column_variance = by_column @ columns**2 - column**2
    covariance = np.einsum("nij,i,j->n", weights, rows, columns, optimize=True) - row * column
    # a row's rounding is no height
    slant = np.where(row_variance > 1e-9, covariance / np.maximum(row_variance, 1e-9), 0.0)
    return Moments(slant, np.sqrt(np.maximum(column_variance - slant * covariance, 0.0)))
