"""Extrapolation: is a factor read from codes where it takes values that the readout never saw (Schott et al. 2022)."""

import math

import numpy as np
from jaxtyping import Bool, Float, Integer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from disent_runner.machine.ranges import Count, Fraction
from disent_runner.metrics.estimators.sampling import draw_rows, draw_split
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)


@returns(
    Number("r2_extrapolation", "higher", per_factor=True),
    Number("r2_extrapolation_seen", "higher", per_factor=True),
)
def r2_extrapolation(
    rep: Representation,
    *,
    rng: np.random.Generator,
    fraction: Fraction = 0.2,
    num_train: Count = 10_000,
    num_test: Count = 5_000,
) -> dict[str, float]:
    """R² of factors, at most 1, read linearly from codes: of values that the readout was not fitted on.

    The last ⌈fraction · size⌉ values of each factor are held out, as `split=extrapolation` does. The readout is fitted
    by least squares on `num_train` images that show none of them. `r2_extrapolation_factor_<k>` is of up to `num_test`
    images in which factor k alone shows one, `r2_extrapolation_seen_factor_<k>` of `num_test` others that show none;
    the numbers without a factor are their means. Where fewer images show none, train and test share them as
    `draw_split` says. Factors with fewer than two values that stay, or without such images, are left out.

    Raises:
        NotApplicable: no factor can be scored.
        ValueError: a number of images below 1.
    """
    rep = require_labels("r2_extrapolation", rep)
    require_at_least("r2_extrapolation", 1, num_train=num_train, num_test=num_test)
    require_finite("r2_extrapolation", rep.codes)
    held_out = {column: last_values(rep.factors[:, column], fraction) for column in _columns(rep.factors, fraction)}
    count = np.sum([*held_out.values()], axis=0) if held_out else np.zeros(len(rep.codes), int)
    alone = {column: np.flatnonzero(unseen & (count == 1)) for column, unseen in held_out.items()}
    columns = [column for column, rows in alone.items() if len(rows)]
    seen = np.flatnonzero(count == 0)
    if not columns or len(seen) < 2:
        raise NotApplicable(
            "r2_extrapolation needs a factor of which two values stay where its last are held out, and images that "
            f"show one of those and of no other factor, got none such in {len(rep.codes)} images"
        )
    train, others = (seen[rows] for rows in draw_split(len(seen), num_train=num_train, num_test=num_test, rng=rng))
    codes, values = rep.codes.astype(np.float64), rep.factors[:, columns].astype(np.float64)
    readout = make_pipeline(StandardScaler(), LinearRegression()).fit(codes[train], values[train])
    variance = values.var(axis=0)
    scores: dict[str, float] = {}
    unseen = [alone[column][draw_rows(len(alone[column]), num_test, rng)] for column in columns]
    for name, tests in {"r2_extrapolation": unseen, "r2_extrapolation_seen": [others] * len(columns)}.items():
        parts = {
            f"{name}_factor_{column}": r_squared(
                readout.predict(codes[rows])[:, place], values[rows, place], variance=variance[place]
            )
            for place, (column, rows) in enumerate(zip(columns, tests, strict=True))
        }
        scores |= {name: sum(parts.values()) / len(parts)} | parts
    return scores


def last_values(values: Integer[np.ndarray, " image"], fraction: float) -> Bool[np.ndarray, " image"]:
    """Which images show one of the last ⌈fraction · size⌉ of the values that there are."""
    present = np.unique(values)
    return np.isin(values, present[len(present) - math.ceil(round(fraction * len(present), 9)) :])


def r_squared(predicted: Float[np.ndarray, " image"], values: Float[np.ndarray, " image"], *, variance: float) -> float:
    """1 - the mean squared error over the variance of the factor in all images; Schott et al.'s, at most 1."""
    return float(1 - np.square(predicted - values).mean() / variance)


def _columns(factors: Integer[np.ndarray, "image factor"], fraction: float) -> list[int]:
    """Factors of which two values or more stay."""
    varying = require_varying_factors("r2_extrapolation", factors)
    return [
        int(column)
        for column in varying
        if len(np.unique(factors[~last_values(factors[:, column], fraction), column])) > 1
    ]
