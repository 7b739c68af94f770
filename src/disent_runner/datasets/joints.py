"""Non-uniform joint distributions of the factors: how often training shows each image.

Träuble et al. 2021 correlate two factors, Roth et al. 2023 several pairs, by `gaussian_joint` and `gaussian_pairs`;
their pairs are presets, `joint=traeuble2021/…` and `joint=roth2023/…`. Chen et al. 2018 (section 6.2, sampling bias)
train on four joints of two factors, here `chen_*`: tables for `table_joint`. In B to D the most frequent combination is
exactly 4 times as frequent as the rarest, none is absent.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import MinLen
from jaxtyping import Float, Int

from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.machine.ranges import OneOf, Positive, SomeNames, TwoNames, Weights

ODDS = 4
"""Most frequent over rarest combination."""


def product_of_marginals(space: Factors, *, marginals: Mapping[str, Weights]) -> Float[np.ndarray, " image"]:
    """Probability of each image when the named factors are independent with these weights, the others uniform.

    Weights need not sum to 1. In an incomplete grid the product is restricted to the images there are. ValueError for
    an unknown factor, a wrong number of weights, or weights that are negative, not finite or all zero.
    """
    weights = np.ones(len(space))
    columns = [space.column(name, "dataset.joint") for name in marginals]
    for values, column, (name, marginal) in zip(_known(space, columns).T, columns, marginals.items(), strict=True):
        table = _checked(np.asarray(marginal, np.float64), (space.shape[column],), f"dataset.joint.marginals.{name}")
        weights *= table[values]
    return _normalised(weights)


def table_joint(
    space: Factors, *, factors: SomeNames, table: Float[np.ndarray, "..."] | Sequence[Any]
) -> Float[np.ndarray, " image"]:
    """Probability of each image when some factors follow the table and the others are uniform and independent of them.

    `table[i, j, …]` is the weight of value `i` of the first, `j` of the second factor, …; see `product_of_marginals`.
    """
    if not factors or len(set(factors)) < len(factors):
        raise ValueError(f"dataset.joint.factors must name different factors, got {list(factors)}")
    columns = [space.column(name, "dataset.joint") for name in factors]
    shape = tuple(space.shape[column] for column in columns)
    try:
        array = np.asarray(table, np.float64)
    except (ValueError, TypeError):
        raise ValueError(f"dataset.joint.table must be numbers in lists of shape {shape}, got {table!r:.60}") from None
    weights = _checked(array, shape, "dataset.joint.table")
    return _normalised(weights[tuple(_known(space, columns).T)])


def chen_joint(
    space: Factors,
    *,
    factors: TwoNames,
    kind: Annotated[str, OneOf("uniform", "independent", "uncorrelated", "correlated")],
) -> Float[np.ndarray, " image"]:
    """Two factors by one of Chen et al.'s tables: uniform (A), independent (B), uncorrelated (C) or correlated (D).

    ValueError for another kind, or as `table_joint`.
    """
    tables = {"uniform": chen_uniform, "independent": chen_independent}
    tables |= {"uncorrelated": chen_uncorrelated, "correlated": chen_correlated}
    if kind not in tables:
        raise ValueError(f"dataset.joint.kind must be {', '.join(tables)}, got {kind!r}")
    return table_joint(space, factors=factors, table=tables[kind](*_two_sizes(space, factors)))


def gaussian_joint(space: Factors, *, factors: TwoNames, sigma: Positive) -> Float[np.ndarray, " image"]:
    """Two factors, their values spread evenly over [0, 1], with p(u, v) ∝ exp(-(u - v)² / 2σ²) (Träuble et al. 2021).

    ValueError where sigma is not positive, or as `table_joint`.
    """
    if not sigma > 0:
        raise ValueError(f"dataset.joint.sigma must be positive, got {sigma}")
    u_size, v_size = _two_sizes(space, factors)
    distance = np.linspace(0, 1, u_size)[:, None] - np.linspace(0, 1, v_size)
    return table_joint(space, factors=factors, table=np.exp(-(distance**2) / (2 * sigma**2)))


def gaussian_pairs(
    space: Factors, *, pairs: Annotated[Sequence[TwoNames], MinLen(1)], sigma: Positive
) -> Float[np.ndarray, " image"]:
    """Several pairs of factors along diagonals: p ∝ the product of their `gaussian_joint`s (Roth et al. 2023).

    A factor may be in many pairs: with all others it is a confounder. ValueError as there, or without a pair.
    """
    if not pairs:
        raise ValueError("dataset.joint.pairs must be a list of at least one pair of factors, [[a,b]], got []")
    return _normalised(np.prod([gaussian_joint(space, factors=pair, sigma=sigma) for pair in pairs], axis=0))


def _two_sizes(space: Factors, factors: Sequence[str]) -> tuple[int, int]:
    if len(factors) != 2:
        raise ValueError(f"dataset.joint.factors must name two factors, got {list(factors)}")
    first, second = (space.shape[space.column(name, "dataset.joint")] for name in factors)
    return first, second


def _known(space: Factors, columns: Sequence[int]) -> Int[np.ndarray, "image column"]:
    """Value indices of these factors; ValueError where a label is missing."""
    values = space.factors(np.arange(len(space)))[:, columns]
    missing = (values == UNKNOWN).any(axis=1).sum()
    if missing:
        names = " and ".join(space.names[column] for column in columns)
        raise ValueError(f"dataset.joint needs the label of {names} of every image, {missing} have none")
    return values


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
