"""How far the decoder's local directions are from the latent axes (Rolinek et al. 2019)."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from disent_runner.machine.ranges import Count, NonNegative
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_autoencoder

_IMAGES_AT_ONCE = 32
_NUM_RANDOM = 1_000
_SINGLE_PRECISION = 1e-6


@returns(
    Number("distance_to_orthogonality", "lower"),
    Number("distance_to_orthogonality_random"),
    Number("distance_to_orthogonality_relative", "lower"),
    Number("distance_to_orthogonality_latents", unit="latents"),
)
def distance_to_orthogonality(
    rep: Representation, *, rng: np.random.Generator, num_images: Count = 500, activity_threshold: NonNegative = 0.5
) -> dict[str, float]:
    """Mean over `num_images` images of `distances_from_jacobian` at their codes, `distance_to_orthogonality`.

    Of the active latents only, those whose code has a standard deviation above `activity_threshold` over all images;
    `distance_to_orthogonality_latents` counts them, and `distance_to_orthogonality_random` is the mean distance of
    random rotations of so many latents, and `distance_to_orthogonality_relative` the first divided by it, for models
    whose numbers of active latents differ. One active latent: 0, and nothing to divide by.

    Raises:
        ValueError: only codes are known, no latent is active, a derivative is not finite, or a setting is too small.
    """
    autoencoder = require_autoencoder("distance_to_orthogonality", rep)
    require_at_least("distance_to_orthogonality", 1, num_images=num_images)
    if not activity_threshold >= 0:
        raise ValueError(f"distance_to_orthogonality needs activity_threshold >= 0, got {activity_threshold}")
    deviation = rep.codes.std(axis=0, dtype=np.float64)
    active = np.flatnonzero(deviation > activity_threshold)
    if len(active) == 0:
        raise NotApplicable(
            f"distance_to_orthogonality needs a latent whose standard deviation is above {activity_threshold}, "
            f"got {deviation.max():.3g} at most"
        )
    codes = rep.codes[draw_rows(len(rep.codes), num_images, rng)]
    distances = np.concatenate(
        [
            distances_from_jacobian(autoencoder.jacobian(codes[first : first + _IMAGES_AT_ONCE])[:, :, active])
            for first in range(0, len(codes), _IMAGES_AT_ONCE)
        ]
    )
    # up to the signs of columns, which do not matter here, the factor Q of a normal matrix is a random rotation
    rotations = np.linalg.qr(rng.standard_normal((_NUM_RANDOM, len(active), len(active)))).Q
    mean, at_random = float(distances.mean()), float(distances_to_signed_permutations(rotations).mean())
    return {
        "distance_to_orthogonality": mean,
        "distance_to_orthogonality_random": at_random,
        **({"distance_to_orthogonality_relative": mean / at_random} if len(active) > 1 else {}),
        "distance_to_orthogonality_latents": float(len(active)),
    }


def distances_from_jacobian(jacobian: Float[np.ndarray, "image pixel latent"]) -> Float[np.ndarray, " image"]:
    """Frobenius distance from V to the closest signed permutation matrix, for each Jacobian U S V^T.

    0 if and only if the columns are orthogonal; they count as orthogonal where their cosine is below 1e-6, the rounding
    of single precision, because V is not unique for equal singular values and rounding would choose it. Such values of
    other columns leave it to the eigensolver. ValueError for a derivative that is not finite.
    """
    if not np.isfinite(jacobian).all():
        raise ValueError(
            "distance_to_orthogonality needs finite derivatives of the decoder, got "
            f"{int((~np.isfinite(jacobian)).sum())} values that are NaN or infinite; check the training"
        )
    columns = jacobian.astype(np.float64)
    gram = columns.transpose(0, 2, 1) @ columns
    norm = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    gram[np.abs(gram) <= _SINGLE_PRECISION * norm[:, :, None] * norm[:, None, :]] = 0.0
    return distances_to_signed_permutations(np.linalg.eigh(gram).eigenvectors)


def distances_to_signed_permutations(
    rotations: Float[np.ndarray, "image latent latent"],
) -> Float[np.ndarray, " image"]:
    """Frobenius distance from each orthogonal matrix to the closest signed permutation matrix; at most sqrt(2 (D - 1)).

    ||V - P||^2 is 2 D less twice the sum of the D entries |V_ij| that P keeps, each with V's sign, so that P solves an
    assignment problem.
    """
    closest = np.zeros_like(rotations)
    for rotation, permutation in zip(rotations, closest, strict=True):
        kept = linear_sum_assignment(np.abs(rotation), maximize=True)
        permutation[kept] = np.copysign(1.0, rotation[kept])
    return np.linalg.norm(rotations - closest, axis=(1, 2))
