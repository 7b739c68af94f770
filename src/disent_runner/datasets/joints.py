"""Non-uniform joint distributions of the factors: how often training shows each image.

Chen et al. 2018 (section 6.2, sampling bias) train on four joints of two factors, here `chen_*`: tables for
`pairwise_table`. In B to D the most frequent combination is exactly 4 times as frequent as the rarest, none is absent.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from disent_runner.datasets.factors import Factors

ODDS = 4
"""Most frequent over rarest combination."""


def product_of_marginals(space: Factors, *, marginals: Mapping[str, Sequence[float]]) -> Float[np.ndarray, " image"]:
    """Probability of each image when the named factors are independent with these weights, the others uniform.

    Weights need not sum to 1. In an incomplete grid the product is restricted to the images there are. ValueError for
    an unknown factor, a wrong number of weights, or weights that are negative, not finite or all zero.
    """
    weights = np.ones(len(space))
    values = space.factors(np.arange(len(space)))
    for name, marginal in marginals.items():
        column = space.column(name, "dataset.joint")
        table = _checked(np.asarray(marginal, np.float64), (space.shape[column],), f"marginals[{name}]")
        weights *= table[values[:, column]]
    return _normalised(weights)


def pairwise_table(
    space: Factors, *, factors: Sequence[str], table: Float[np.ndarray, "a b"] | Sequence[Sequence[float]]
) -> Float[np.ndarray, " image"]:
    """Probability of each image when two factors follow the table and the others are uniform and independent of them.

    `table[i, j]` is the weight of value `i` of the first and `j` of the second factor; see `product_of_marginals`.
    """
    if len(factors) != 2 or factors[0] == factors[1]:
        raise ValueError(f"factors must name two different factors, got {list(factors)}")
    first, second = (space.column(name, "dataset.joint") for name in factors)
    weights = _checked(np.asarray(table, np.float64), (space.shape[first], space.shape[second]), "table")
    values = space.factors(np.arange(len(space)))
    return _normalised(weights[values[:, first], values[:, second]])


def chen_uniform(u_size: int, v_size: int) -> Float[np.ndarray, "u v"]:
    """A: independent and uniform."""
    return _normalised(np.ones((u_size, v_size)))


def chen_independent(u_size: int, v_size: int) -> Float[np.ndarray, "u v"]:
    """B: independent, each marginal rising linearly to twice its start."""
    u, v = _axes(u_size, v_size)
    return _normalised((3 + u) * (3 + v))


def chen_uncorrelated(u_size: int, v_size: int) -> Float[np.ndarray, "u v"]:
    """C: uncorrelated but dependent, heavy in the four corners."""
    u, v = _axes(u_size, v_size)
    return _with_odds(np.abs(u * v))


def chen_correlated(u_size: int, v_size: int) -> Float[np.ndarray, "u v"]:
    """D: correlated, heavy along the diagonal."""
    u, v = _axes(u_size, v_size)
    return _with_odds(-np.abs(u - v))


def _axes(u_size: int, v_size: int) -> tuple[Float[np.ndarray, "u 1"], Float[np.ndarray, " v"]]:
    if u_size < 2 or v_size < 2:
        raise ValueError(f"a biased joint needs two factors of at least 2 values, got {u_size} and {v_size}")
    return np.linspace(-1, 1, u_size)[:, None], np.linspace(-1, 1, v_size)


def _with_odds(score: Float[np.ndarray, "u v"]) -> Float[np.ndarray, "u v"]:
    """Probabilities linear in the score, the highest `ODDS` times the lowest."""
    lowest, highest = score.min(), score.max()
    if lowest == highest:
        raise ValueError(
            f"this joint is uniform on a {score.shape[0]}x{score.shape[1]} grid; one factor needs more values"
        )
    return _normalised(1 + (ODDS - 1) * (score - lowest) / (highest - lowest))


def _checked(weights: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if weights.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"{name} must be finite and not negative, got {weights.min()} to {weights.max()}")
    return weights


def _normalised(weights: np.ndarray) -> np.ndarray:
    if not weights.any():
        raise ValueError("dataset.joint gives every image probability 0; make some weight positive")
    return weights / weights.sum()
