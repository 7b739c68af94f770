"""Entropy and mutual information of binned codes and discrete factors, in nats."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Real
from scipy.special import entr

ROUNDING = 2.5e-7  # of a range: two roundings to single precision move no code near 0 further
APART = 1e-4  # of a range: many continuous codes have neighbours nearer than this


class Places(NamedTuple):
    """Codes between their smallest and largest value, 0 to 1, and by how much rounding may have moved them there."""

    place: Float[np.ndarray, " image"]
    rounding: float
    """0 for a continuous code, of which it moves no two images alike"""


def places_in_range(code: Float[np.ndarray, " image"]) -> Places:
    """Where a code lies in its range, all at 0 if it is constant; with its rounding if it has few values, `APART`."""
    above_least = code.astype(np.float64) - float(code.min())
    width = above_least.max() or 1.0
    place, rounding = above_least / width, max(ROUNDING, 2 * float(np.spacing(np.abs(code).max())) / width)
    ascending = np.sort(place)
    steps = ascending[1:] - ascending[:-1]
    is_continuous = ((steps > rounding) & (steps < APART)).any()
    return Places(place, 0.0 if is_continuous else rounding)


def discretize(codes: Float[np.ndarray, "image latent"], num_bins: int) -> Integer[np.ndarray, "image latent"]:
    """Bin index of each code, 0 to `num_bins - 1`: equal-width bins between the code's smallest and largest value.

    A bin holds its left edge, the last one both (`numpy.histogram`); a constant code falls into one bin. What is below
    an edge by no more than the code's rounding is on it: evenly spaced codes, of which many are on edges, have the same
    bins on any scale and in either precision. Outliers widen every bin of their code, so a number made with bins says
    with how many.
    """
    return np.stack([_bin_one_code(code, num_bins) for code in codes.T], axis=1)


def _bin_one_code(code: Float[np.ndarray, " image"], num_bins: int) -> Integer[np.ndarray, " image"]:
    place, rounding = places_in_range(code)
    return np.minimum(place * num_bins + min(num_bins * rounding, 0.5), num_bins - 1).astype(np.int64)


def entropy(counts: Real[np.ndarray, "... value"]) -> Float[np.ndarray, "..."]:
    """Entropy in nats of the distribution that counts or weights describe, over the last axis."""
    return np.asarray(entr(counts / counts.sum(axis=-1, keepdims=True)).sum(axis=-1))


def factor_entropies(
    factors: Integer[np.ndarray, "image factor"], *, weights: Float[np.ndarray, " image"] | None = None
) -> Float[np.ndarray, " factor"]:
    """Entropy of each factor's values in nats, of images by weight; 0 for a factor with a single value."""
    return np.array([entropy(np.bincount(values.astype(np.int64), weights)) for values in factors.T])


def mutual_information_matrix(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_bins: int = 20
) -> Float[np.ndarray, "latent factor"]:
    """Mutual information in nats between each binned code and each factor, from the counts of their joint values."""
    bins = discretize(codes, num_bins)
    columns = [_information_with(bins, values.astype(np.int64), num_bins) for values in factors.T]
    return np.stack(columns, axis=1)


def _information_with(
    bins: Integer[np.ndarray, "image latent"], values: Integer[np.ndarray, " image"], num_bins: int
) -> Float[np.ndarray, " latent"]:
    """I(bin; value) of every code with one factor: H(bin) + H(value) - H(bin, value), by one count over all codes."""
    num_codes, num_values = bins.shape[1], int(values.max()) + 1
    cell = (np.arange(num_codes) * num_bins + bins) * num_values + values[:, None]
    joint = np.bincount(cell.ravel(), minlength=num_codes * num_bins * num_values).reshape(num_codes, -1)
    table = joint.reshape(num_codes, num_bins, num_values)
    information = entropy(table.sum(axis=2)) + entropy(table.sum(axis=1)) - entropy(joint)
    return np.maximum(information, 0.0)  # rounding leaves an independent pair a hair below zero


def information_gap(
    mutual_information: Float[np.ndarray, "latent factor"], entropies: Float[np.ndarray, " factor"]
) -> Float[np.ndarray, " factor"]:
    """Gap, as a fraction of the factor's entropy, between the two codes that tell most of it (Chen et al. 2018, eq. 6).

    With one code the second best is 0. The entropies must be positive.
    """
    absent = np.zeros((1, mutual_information.shape[1]))
    second, best = np.sort(np.concatenate([absent, mutual_information]), axis=0)[-2:]
    return (best - second) / entropies
