"""How far codes are from independent, without any factor (Locatello et al. 2019, appendix)."""

import numpy as np
from jaxtyping import Float

from disent_runner.machine.ranges import Count, Several
from disent_runner.metrics.estimators.information import discretize, mutual_information_matrix
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_finite

SMALLEST = 1e-12
"""Standard deviation, of standardised codes along some direction, below which double precision tells no more."""


@returns(
    Number("gaussian_total_correlation", "lower", unit="nats"),
    Number("gaussian_wasserstein", "lower"),
    Number("gaussian_wasserstein_normalized", "lower"),
    Number("mutual_info_score", "lower", unit="nats"),
)
def unsupervised(
    rep: Representation, *, rng: np.random.Generator, num_samples: Several = 10_000, num_bins: Count = 20
) -> dict[str, float]:
    """Dependence between codes, 0 where there is none: the numbers of `unsupervised_from_arrays`.

    As `gaussian_total_correlation`, `gaussian_wasserstein`, `gaussian_wasserstein_normalized` and `mutual_info_score`,
    from `num_samples` images drawn without replacement, or all if there are fewer.

    Raises:
        ValueError: no more images than codes, or a setting is below 1.
    """
    require_at_least("unsupervised", 1, num_samples=num_samples)
    rows = draw_rows(len(rep.codes), num_samples, rng)
    numbers = unsupervised_from_arrays(rep.codes[rows], num_bins=num_bins)
    return {
        "gaussian_total_correlation": numbers["gaussian_total_correlation"],
        "gaussian_wasserstein": numbers["gaussian_wasserstein_correlation"],
        "gaussian_wasserstein_normalized": numbers["gaussian_wasserstein_correlation_norm"],
        "mutual_info_score": numbers["mutual_info_score"],
    }


def unsupervised_from_arrays(codes: Float[np.ndarray, "image latent"], *, num_bins: int = 20) -> dict[str, float]:
    """Dependence between codes by four numbers, each 0 for independent codes and for a single one.

    `gaussian_total_correlation`: nats of a Gaussian with the codes' covariance, see there.
    `gaussian_wasserstein_correlation`: see there, in squared units of the codes.
    `gaussian_wasserstein_correlation_norm`: the same divided by the sum of variances, in [0, 2).
    `mutual_info_score`: mean mutual information in nats over pairs of different codes, each in `num_bins` bins.
    A constant code is independent of all others: it adds to no sum, but to the number of pairs.

    Raises:
        ValueError: no more images than codes, a code is not finite, or `num_bins` is below 1.
    """
    require_at_least("unsupervised", 1, num_bins=num_bins)
    require_finite("unsupervised", codes)
    num_images, num_codes = codes.shape
    if num_images <= num_codes:
        raise NotApplicable(f"unsupervised needs more images than codes, got {num_images} of {num_codes} codes")
    wasserstein = gaussian_wasserstein(codes)
    total_variance = float(_centre(codes).var(axis=0, ddof=1).sum())
    return {
        "gaussian_total_correlation": gaussian_total_correlation(codes),
        "gaussian_wasserstein_correlation": wasserstein,
        "gaussian_wasserstein_correlation_norm": wasserstein / total_variance if total_variance else 0.0,
        "mutual_info_score": _mutual_info_score(codes, num_bins=num_bins),
    }


def gaussian_total_correlation(codes: Float[np.ndarray, "image latent"]) -> float:
    """Total correlation in nats of the Gaussian with the codes' covariance: -½ log det of their correlation matrix.

    From the singular values of the standardised codes, which the matrix would only give to half the digits. It is
    infinite if a code is a linear function of others; `SMALLEST` instead of 0 makes that a bound from below, of about
    27 nats for each such code. Constant codes are left out.
    """
    centred = _centre(codes)
    lengths = np.linalg.norm(centred, axis=0)
    singular_values = np.linalg.svd(centred[:, lengths > 0] / lengths[lengths > 0], compute_uv=False)
    return max(0.0, -float(np.log(np.maximum(singular_values, SMALLEST)).sum()))


def gaussian_wasserstein(codes: Float[np.ndarray, "image latent"]) -> float:
    """Squared 2-Wasserstein distance from the Gaussian with the codes' covariance Σ to the one with its diagonal V.

    2 tr Σ - 2 tr (V^½ Σ V^½)^½, in squared units of the codes; the latter trace is the sum of singular values of the
    centred codes times V^½. The covariance may be singular.
    """
    centred = _centre(codes)
    variance = centred.var(axis=0, ddof=1)
    singular_values = np.linalg.svd(centred * np.sqrt(variance / (len(codes) - 1)), compute_uv=False)
    return max(0.0, 2 * float(variance.sum() - singular_values.sum()))


def _centre(codes: Float[np.ndarray, "image latent"]) -> Float[np.ndarray, "image latent"]:
    """Codes minus their mean; a constant code is exactly 0."""
    return np.where(codes.min(axis=0) != codes.max(axis=0), codes - codes.mean(axis=0, dtype=np.float64), 0.0)


def _mutual_info_score(codes: Float[np.ndarray, "image latent"], *, num_bins: int) -> float:
    information = mutual_information_matrix(codes, discretize(codes, num_bins), num_bins=num_bins)
    of_pairs = information[~np.eye(len(information), dtype=bool)]
    return float(of_pairs.mean()) if of_pairs.size else 0.0
