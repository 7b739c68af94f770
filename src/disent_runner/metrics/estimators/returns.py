"""What episodes come to, with how sure that is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import bootstrap

NUM_RESAMPLES = 2_000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A statistic and the ends of its 95 % bootstrap interval, by percentiles."""

    value: float
    low: float
    high: float


def mean_interval(returns: Float[np.ndarray, " episode"], rng: np.random.Generator) -> Interval:
    """Of the mean of episodes drawn anew."""
    return interval([returns], lambda sample, axis: sample.mean(axis=axis), rng)


def interval(
    samples: Sequence[Float[np.ndarray, " episode"]], statistic: Callable, rng: np.random.Generator
) -> Interval:
    """Of a statistic of samples that are drawn anew, each by itself (Efron & Tibshirani 1993, section 13.3).

    `statistic(*samples, axis=…)` is vectorised. A sample without any spread has an interval without any width.
    """
    drawn = bootstrap(
        samples,
        statistic,
        n_resamples=NUM_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=rng,
    )
    low, high = drawn.confidence_interval
    return Interval(float(statistic(*samples, axis=-1)), float(low), float(high))


def standard_error(returns: Float[np.ndarray, " episode"]) -> float:
    return float(returns.std(ddof=1) / len(returns) ** 0.5)
