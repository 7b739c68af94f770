"""Slope of capsules' positions against known shifts of the image (Hinton et al. 2011, figure 2)."""

import numpy as np
from jaxtyping import Bool, Float

from disent_runner.machine.ranges import BelowOne, Positive, Several
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_autoencoder,
    require_capsules,
)

_IMAGES_AT_ONCE = 256


@returns(
    Number("capsule_slope", "higher"),
    Number("capsule_slope_mean"),
    Number("capsule_slope_r2", "higher"),
    Number("capsule_slope_active"),
)
def capsule_slope(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_images: Several = 2_000,
    tolerance: Positive = 0.2,
    least_presence: BelowOne = 0.1,
) -> dict[str, float]:
    """Share in [0, 1] of the active capsules whose x and y both follow the image with a slope of 1 ± `tolerance`.

    `num_images` images, or all if there are fewer, are each moved by a random transformation of the model's own kind.
    The slope is that of the least-squares line through the found and the expected change of a position in pixels, over
    images, which count as much as the capsule is present in them. A capsule is active where its presence is at least
    `least_presence` on average. `capsule_slope_mean` is the mean slope of active capsules over x and y,
    `capsule_slope_r2` the mean share of the variance of what is found that the lines explain, `capsule_slope_active`
    the share of capsules that are active.

    Raises:
        NotApplicable: a model without capsules, none of which is active, or images that nothing moves.
        ValueError: `num_images` below 2.
    """
    capsules = require_capsules("capsule_slope", rep)
    require_at_least("capsule_slope", 2, num_images=num_images)
    rows = draw_rows(len(rep.codes), num_images, rng)
    images = require_autoencoder("capsule_slope", rep).images
    moved = [
        capsules.movement(images(part), rng)
        for part in np.split(rows, range(_IMAGES_AT_ONCE, len(rows), _IMAGES_AT_ONCE))
    ]
    presences, expected, found = (np.concatenate(parts).astype(np.float64) for parts in zip(*moved, strict=True))
    is_active = presences.mean(axis=0) >= least_presence
    if not is_active.any():
        raise NotApplicable(
            f"capsule_slope needs a capsule with a mean presence of at least {least_presence}, "
            f"got {presences.mean(axis=0).max():.3g} at most"
        )
    slopes, explained = weighted_lines(presences[:, is_active], expected[:, is_active], found[:, is_active])
    return {
        "capsule_slope": float(near_one(slopes, tolerance).mean()),
        "capsule_slope_mean": float(slopes.mean()),
        "capsule_slope_r2": float(explained.mean()),
        "capsule_slope_active": float(is_active.mean()),
    }


def weighted_lines(
    weights: Float[np.ndarray, "image capsule"],
    expected: Float[np.ndarray, "image capsule 2"],
    found: Float[np.ndarray, "image capsule 2"],
) -> tuple[Float[np.ndarray, "capsule 2"], Float[np.ndarray, "capsule 2"]]:
    """Slope of the weighted least-squares line of `found` over `expected`, and its share of the variance of `found`.

    0 where nothing moves.
    """
    weight = (weights / weights.sum(axis=0))[..., None]
    across = expected - (weight * expected).sum(axis=0)
    along = found - (weight * found).sum(axis=0)
    variance, spread = (weight * across**2).sum(axis=0), (weight * along**2).sum(axis=0)
    covariance = (weight * across * along).sum(axis=0)
    slopes = np.divide(covariance, variance, out=np.zeros_like(variance), where=variance > 0)
    whole = variance * spread
    return slopes, np.divide(covariance**2, whole, out=np.zeros_like(whole), where=whole > 0)


def near_one(slopes: Float[np.ndarray, "capsule 2"], tolerance: float) -> Bool[np.ndarray, " capsule"]:
    return np.abs(slopes - 1).max(axis=1) <= tolerance
