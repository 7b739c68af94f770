"""Rank correlation: does a latent rise or fall with a factor (as the scatter plots of Kulkarni et al. 2015 show)."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Integer, Real
from scipy.stats import rankdata

from disent_runner.machine.ranges import Numbered
from disent_runner.metrics.variance_share import latents_by_column
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_finite,
    require_labels,
    require_varying_factors,
)


@returns(
    Number("rank_correlation", "higher", per_factor=True),
    Number("rank_correlation_other", "lower", per_factor=True),
)
def rank_correlation(
    rep: Representation, *, rng: np.random.Generator, latents: Numbered | None = None
) -> dict[str, float]:
    """Absolute rank correlation (Spearman's) in [0, 1] of a factor's values with one latent, mean over factors.

    `rank_correlation` is the mean of `rank_correlation_factor_<k>`; `rank_correlation_other_factor_<k>` is the largest
    one of the same latent with another factor, and `rank_correlation_other` the mean of these; both are left out where
    no other factor varies. The latent is the one most correlated with the factor, or with `latents`, by factor name,
    the one that the model has for it; only the factors named are then scored. Factors with a single value are left out.

    Raises:
        NotApplicable: no factor that is scored has more than one value.
        ValueError: `latents` of no such factor, or outside the codes.
    """
    rep = require_labels("rank_correlation", rep)
    varying = require_varying_factors("rank_correlation", rep.factors).tolist()
    chosen = latents_by_column("rank_correlation", rep, latents)
    correlation = rank_correlation_from_arrays(rep.codes, rep.factors)
    scores: dict[int, float] = {}
    other: dict[int, float] = {}
    for column in (column for column in varying if column in chosen):
        latent = chosen[column]
        row = correlation[correlation[:, column].argmax() if latent is None else latent]
        scores[column] = float(row[column])
        if len(varying) > 1:
            other[column] = float(np.delete(row, column).max())
    if not scores:
        raise NotApplicable(
            f"rank_correlation needs latents of a factor with more than one value, got {', '.join(latents or ())}"
        )
    return _scores("rank_correlation", scores) | _scores("rank_correlation_other", other)


def rank_correlation_from_arrays(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"]
) -> Float[np.ndarray, "latent factor"]:
    """Absolute Spearman correlation in [0, 1] of each code with each factor's value; 0 where either is constant.

    Equal values share the mean of their ranks.

    Raises:
        ValueError: a code is not finite.
    """
    return np.abs(signed_rank_correlation(codes, factors))


def signed_rank_correlation(
    codes: Float[np.ndarray, "image latent"], factors: Real[np.ndarray, "image factor"]
) -> Float[np.ndarray, "latent factor"]:
    """The same with its sign, in [-1, 1]."""
    require_finite("rank_correlation", codes)
    return np.clip(_standard_ranks(codes).T @ _standard_ranks(factors), -1.0, 1.0)


def _standard_ranks(values: np.ndarray) -> Float[np.ndarray, "image column"]:
    """Ranks less their mean, with norm 1; 0 of a constant column."""
    ranks = rankdata(values, axis=0) - (len(values) + 1) / 2
    return ranks / np.maximum(np.linalg.norm(ranks, axis=0), np.finfo(float).tiny)


def _scores(name: str, by_column: Mapping[int, float]) -> dict[str, float]:
    if not by_column:
        return {}
    parts = {f"{name}_factor_{column}": score for column, score in by_column.items()}
    return {name: sum(parts.values()) / len(parts)} | parts
