"""How one to one the latents of models of the same images correspond (Duan et al. 2020, section 4); NumPy only.

All models are compared at once, and so are the models of many settings: axes before those that are named are kept.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

SIMILARITIES = ("lasso", "spearman")
LASSO_PENALTY = 0.1
TOLERANCE, MOST_ROUNDS = 1e-4, 1_000
"""Of scikit-learn's Lasso, because the weights of latents that are nearly copies still move when it stops."""


class Correspondence(NamedTuple):
    """[i, j]: of model i's latents with model j's, in [0, 1]; 0 where one of them has no informative latent."""

    paper: Float[np.ndarray, "*setting model model"]
    """[Σ_b max_a R² / Σ_a R + Σ_a max_b R² / Σ_b R] / (d_i + d_j)"""
    library: Float[np.ndarray, "*setting model model"]
    """the mean over b and the mean over a, averaged, as in disentanglement_lib"""


def correspondence(
    codes: Float[np.ndarray, "*setting model image latent"],
    informative: Bool[np.ndarray, "*setting model latent"],
    *,
    similarity: str,
) -> Correspondence:
    """Both aggregates of the similarity R(a, b) of every latent a of a model with every b of another.

    `spearman`: the absolute rank correlation. `lasso`: the absolute weight of a in the prediction of b from all latents
    of a's model, both standardised, with an L1 penalty of 0.1. Latents that are not informative take no part, so that
    models with fewer latents are filled up with them.
    """
    latents = np.ascontiguousarray(np.swapaxes(codes, -1, -2), dtype=np.float64)
    if similarity == "spearman":
        latents = _ranks(latents)
    correlation = _correlation(latents, informative)
    likeness = np.abs(_lasso_weights(correlation) if similarity == "lasso" else correlation)
    of_second = _dominance(likeness, axis=-3).sum(axis=-1)
    of_first = _dominance(likeness, axis=-1).sum(axis=-2)
    count = informative.sum(axis=-1)
    first, second = np.maximum(count, 1)[..., :, None], np.maximum(count, 1)[..., None, :]
    both = (count[..., :, None] > 0) & (count[..., None, :] > 0)
    return Correspondence(
        paper=np.where(both, (of_second + of_first) / (first + second), 0.0),
        library=np.where(both, (of_second / second + of_first / first) / 2, 0.0),
    )


def _dominance(
    likeness: Float[np.ndarray, "*setting first latent second other"], *, axis: int
) -> Float[np.ndarray, "*setting _ _ _"]:
    """max² / sum over the latents on one side, for each on the other; 0 for one that is like none of them."""
    total = likeness.sum(axis=axis)
    return np.divide(likeness.max(axis=axis) ** 2, total, out=np.zeros_like(total), where=total > 0)


def _lasso_weights(
    correlation: Float[np.ndarray, "*setting model latent model latent"],
) -> Float[np.ndarray, "*setting model latent model latent"]:
    """[i, a, j, b]: weight of model i's latent a in predicting model j's latent b from all latents of model i.

    Minimises |b - Σ_a w_a a|² / 2N + penalty Σ_a |w_a| by coordinate descent, in the order and to the tolerance of
    scikit-learn. A latent of zeros keeps the weight 0.
    """
    *settings, num_models, num_latents, _, _ = correlation.shape
    among = np.einsum("...iaib->...iab", correlation)
    variances = np.einsum("...aa->...a", among)
    with_targets = correlation.reshape(*settings, num_models, num_latents, -1)
    target = variances.reshape(*settings, 1, -1)
    scale = np.where(variances > 0, variances, 1.0)
    weights = np.zeros_like(with_targets)
    moving = np.broadcast_to(target > 0, with_targets[..., 0, :].shape)
    for _ in range(MOST_ROUNDS):
        before = weights.copy()
        for latent in range(num_latents):
            old = weights[..., latent, :]
            explained = (among[..., latent, None, :] @ weights)[..., 0, :]
            free = with_targets[..., latent, :] - explained + variances[..., latent, None] * old
            new = (free - np.clip(free, -LASSO_PENALTY, LASSO_PENALTY)) / scale[..., latent, None]
            weights[..., latent, :] = np.where(moving, new, old)
        change = np.abs(weights - before).max(axis=-2)
        is_slow = moving & (change <= TOLERANCE * np.abs(weights).max(axis=-2))
        if is_slow.any():
            gap = _duality_gap(weights, with_targets, among @ weights, target)
            moving = moving & ~(is_slow & (gap <= TOLERANCE * target))
        if not moving.any():
            break
    return weights.reshape(correlation.shape)


def _duality_gap(
    weights: Float[np.ndarray, "*model latent target"],
    correlation: Float[np.ndarray, "*model latent target"],
    explained: Float[np.ndarray, "*model latent target"],
    variance: Float[np.ndarray, "*setting 1 target"],
) -> Float[np.ndarray, "*model target"]:
    """How far each prediction's loss may be from its minimum. `explained`: correlation of latents with it."""
    covariance = (weights * correlation).sum(axis=-2)
    residual = variance - 2 * covariance + (weights * explained).sum(axis=-2)
    steepest = np.abs(correlation - explained).max(axis=-2)
    scale = LASSO_PENALTY / np.maximum(steepest, LASSO_PENALTY)  # makes the residual feasible for the dual
    penalty = LASSO_PENALTY * np.abs(weights).sum(axis=-2)
    return (1 + scale**2) / 2 * residual + penalty - scale * (variance - covariance)


def _ranks(latents: Float[np.ndarray, "*latent image"]) -> Float[np.ndarray, "*latent image"]:
    """Ranks of each latent's codes; equal codes share the mean of theirs."""
    columns = latents.reshape(-1, latents.shape[-1])
    order = np.argsort(columns, axis=1)
    ordered = np.take_along_axis(columns, order, axis=1)
    ranks = np.empty_like(columns)
    np.put_along_axis(ranks, order, np.arange(1.0, columns.shape[1] + 1)[None], axis=1)
    for tied in np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1)):
        _, group, count = np.unique(columns[tied], return_inverse=True, return_counts=True)
        ranks[tied] = (np.cumsum(count) - (count - 1) / 2)[group]
    return ranks.reshape(latents.shape)


def _correlation(
    latents: Float[np.ndarray, "*setting model latent image"], chosen: Bool[np.ndarray, "*setting model latent"]
) -> Float[np.ndarray, "*setting model latent model latent"]:
    """Of every two latents of a setting; exactly 0 with one that is constant or not chosen, also of it with itself."""
    varies = chosen & (np.ptp(latents, axis=-1) > 0)
    *settings, num_images = latents.shape
    flat = (latents - latents.mean(axis=-1, keepdims=True)).reshape(*settings[:-2], -1, num_images)
    covariance = flat @ np.swapaxes(flat, -1, -2)
    counts = varies.reshape(*settings[:-2], -1)
    deviation = np.sqrt(np.where(counts, np.einsum("...aa->...a", covariance), 1.0))
    inverse = np.where(counts, 1.0 / deviation, 0.0)
    return (covariance * inverse[..., None] * inverse[..., None, :]).reshape(*settings, *settings[-2:])
