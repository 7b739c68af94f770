"""FactorVAE score: majority vote on the code that varies least (Kim & Mnih 2018, section 4)."""

import numpy as np
from jaxtyping import Bool, Float, Integer

from disent_runner.machine.ranges import Count, NonNegative, Several, Share
from disent_runner.metrics.estimators.sampling import (
    RowsByValue,
    chunk_sizes,
    draw_rows,
    draw_rows_with_value,
    rows_by_value,
)
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_at_least, require_labels, require_varying_factors


@returns(
    Number("factor_vae_score", "higher"),
    Number("factor_vae_score_train"),
    Number("factor_vae_active_codes", unit="codes"),
)
def factor_vae_score(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Count = 10_000,
    num_eval: Count = 5_000,
    batch_size: Several = 64,
    num_variance: Several = 10_000,
    prune_threshold: NonNegative = 0.05,
    relative_prune_threshold: Share = 0.0,
) -> dict[str, float]:
    """Accuracy of the majority vote on new votes, `factor_vae_score`, and on its own, `factor_vae_score_train`.

    A vote is the active code whose variance, over `batch_size` images that share one factor, is the smallest fraction
    of its variance over the data (`num_variance` images). A code is active (`factor_vae_active_codes` counts them) if
    its standard deviation is neither 0, nor below `prune_threshold`, nor below `relative_prune_threshold` times the
    largest one; the latter keeps its meaning when codes are rescaled. No active code: 0. A tie goes to the code, and in
    the majority to the factor, that comes first. Factors with a single value are left out.

    Raises:
        ValueError: fewer than two factors vary, or a setting is too small.
    """
    rep = require_labels("factor_vae_score", rep)
    require_at_least("factor_vae_score", 1, num_train=num_train, num_eval=num_eval)
    require_at_least("factor_vae_score", 2, batch_size=batch_size, num_variance=num_variance)
    factors = rep.factors[:, require_varying_factors("factor_vae_score", rep.factors, minimum=2)]
    variance = _variance(rep.codes[draw_rows(len(rep.codes), num_variance, rng)])
    active = active_codes(variance, threshold=prune_threshold, relative_threshold=relative_prune_threshold)
    if not active.any():
        return {"factor_vae_score": 0.0, "factor_vae_score_train": 0.0, "factor_vae_active_codes": 0.0}
    codes = rep.codes[:, active] / np.sqrt(variance[active])
    groups = rows_by_value(factors)
    train, test = (
        _count_votes(codes, factors, groups, num_votes=num_votes, batch_size=batch_size, rng=rng)
        for num_votes in (num_train, num_eval)
    )
    accuracy = vote_accuracy(train, test)
    return {
        "factor_vae_score": accuracy["test"],
        "factor_vae_score_train": accuracy["train"],
        "factor_vae_active_codes": float(active.sum()),
    }


def active_codes(
    variance: Float[np.ndarray, " latent"], *, threshold: float, relative_threshold: float
) -> Bool[np.ndarray, " latent"]:
    """Whether a code's standard deviation is positive and reaches both thresholds, one of them times the largest."""
    deviation = np.sqrt(variance)
    return (deviation > 0) & (deviation >= threshold) & (deviation >= relative_threshold * deviation.max())


def vote_accuracy(
    train_votes: Integer[np.ndarray, "factor latent"], test_votes: Integer[np.ndarray, "factor latent"]
) -> dict[str, float]:
    """Accuracy in [0, 1] on `train` and `test` votes of naming, for each code, the factor of most train votes.

    Votes are counts, factor by code. A code without train votes names the first factor.
    """
    majority = train_votes.argmax(axis=0)
    each_code = np.arange(train_votes.shape[1])
    return {
        name: float(votes[majority, each_code].sum() / votes.sum())
        for name, votes in (("train", train_votes), ("test", test_votes))
    }


def _variance(codes: Float[np.ndarray, "image latent"]) -> Float[np.ndarray, " latent"]:
    """Unbiased variance, exactly 0 for a constant code, where the rounding of its mean would leave a trace."""
    return np.where(np.ptp(codes, axis=0) > 0, codes.var(axis=0, ddof=1, dtype=np.float64), 0.0)


def _count_votes(
    codes: Float[np.ndarray, "image latent"],
    factors: Integer[np.ndarray, "image factor"],
    groups: RowsByValue,
    *,
    num_votes: int,
    batch_size: int,
    rng: np.random.Generator,
) -> Integer[np.ndarray, "factor latent"]:
    """Number of votes by shared factor and least varying code."""
    votes = np.zeros((factors.shape[1], codes.shape[1]), dtype=np.int64)
    for size in chunk_sizes(num_votes, batch_size * codes.shape[1]):
        factor = rng.integers(factors.shape[1], size=size)
        value = factors[rng.integers(len(factors), size=size), factor]
        shape = (batch_size, size)
        rows = draw_rows_with_value(
            groups, factor=np.broadcast_to(factor, shape), value=np.broadcast_to(value, shape), rng=rng
        )
        np.add.at(votes, (factor, _sum_of_squares(codes[rows]).argmin(axis=1)), 1)
    return votes


def _sum_of_squares(codes: Float[np.ndarray, "member group latent"]) -> Float[np.ndarray, "group latent"]:
    """Squared deviations from the group's mean, summed: the variance but for a factor that all codes have in common."""
    deviation = codes - codes.mean(axis=0)
    return np.einsum("mgl,mgl->gl", deviation, deviation)
