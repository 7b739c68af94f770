"""Group equivariance: do cyclic factors act on codes linearly, and each on its own? (after Higgins et al. 2018)"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.sampling import VALUES_PER_CHUNK, draw_rows
from disent_runner.metrics.flatness import MISSING, rows_by_length, traversal_table
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_finite, require_labels

PAIRS_PER_UNKNOWN = 2
"""Pairs of images that a linear map is fitted to, at least, for each coefficient that gives one code."""
RANK_TOLERANCE = 1e-10  # of variances: combinations of single precision codes that vary less are rounding


@returns(
    Number("group_equivariance", "higher", per_factor=True),
    Number("group_independence", "higher", per_factor=True),
)
def group_equivariance(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_samples: Count = 10_000,
    periods: Mapping[str, Count] | None = None,
) -> dict[str, float]:
    """How linearly cyclic factors act on codes, `group_equivariance`, and how separately, `group_independence`.

    An element g of the group of a factor with period n adds a number of steps, modulo n, to its value and leaves the
    other factors alone. Both numbers are in [0, 1] and means over the cyclic factors, which have theirs as
    `…_factor_<k>`: `group_equivariance` is the R² of linear maps from the code of x to that of g x, see
    `equivariance_from_orbits`; `group_independence` is 1 less the largest `overlap` of how this factor moves codes with
    how another one does, cyclic or not; it is left out where no other factor has images that differ in it only. A
    factor that moves no code has 0 in both.

    At most `num_samples` orbits of each factor, and pairs (x, g x) of each g. `periods`, by factor name, replaces those
    of the data set.

    Raises:
        NotApplicable: no factor is cyclic, or there are too few pairs of images to fit linear maps to.
        ValueError: `periods` of no such factor or below 2, `num_samples` below 1, or a code that is not finite.
    """
    rep = require_labels("group_equivariance", rep)
    require_at_least("group_equivariance", 1, num_samples=num_samples)
    require_finite("group_equivariance", rep.codes)
    periods_by_column = _periods_by_column(rep, periods)
    factors = rep.factors.astype(np.int64)
    for column, period in periods_by_column.items():
        factors[:, column] %= period
    tables = {
        column: traversal_table(factors, column, minimum=2, num_traversals=num_samples, rng=rng)
        for column in np.flatnonzero(np.ptp(factors, axis=0)).tolist()
    }
    moves = {column: movement(rep.codes, table) for column, table in tables.items() if len(table)}
    equivariance: dict[int, float] = {}
    independence: dict[int, float] = {}
    for column in sorted(periods_by_column.keys() & moves.keys()):
        orbits = np.full((len(tables[column]), periods_by_column[column]), MISSING)
        orbits[:, np.unique(factors[:, column])] = tables[column]
        score = equivariance_from_orbits(rep.codes, orbits, num_samples=num_samples, rng=rng)
        if score is None:
            continue
        equivariance[column] = score
        others = [overlap(moves[column], moves[other]) for other in moves.keys() - {column}]
        if others:
            independence[column] = 1 - max(others) if moves[column].any() else 0.0
    if not equivariance:
        raise NotApplicable(
            f"group_equivariance needs {PAIRS_PER_UNKNOWN * (rep.codes.shape[1] + 1)} pairs of images that differ by"
            " the same step of a cyclic factor, got fewer of each step; raise evaluation.num_images"
        )
    return _scores("group_equivariance", equivariance) | _scores("group_independence", independence)


def equivariance_from_orbits(
    codes: Float[np.ndarray, "image latent"],
    orbits: Integer[np.ndarray, "orbit step"],
    *,
    num_samples: int,
    rng: np.random.Generator,
) -> float | None:
    """R² in [0, 1] of linear maps from codes to those some steps further, over all steps but none.

    `orbits` holds the rows of images that a cyclic factor turns into each other, `MISSING` where there is no such
    image. Each number of steps has its own map (with intercept), from up to `num_samples` pairs; a pair's error is that
    of the map fitted to the other pairs. 0 is what the centre of an image's orbit would predict, or worse, or codes
    that never move. None if no number of steps has enough pairs.
    """
    enough = PAIRS_PER_UNKNOWN * (codes.shape[1] + 1)
    period = orbits.shape[1]
    present = orbits != MISSING
    errors, variances = [], []
    for step in range(1, period):
        orbit, place = np.nonzero(present & np.roll(present, -step, axis=1))
        if len(orbit) >= enough:
            drawn = draw_rows(len(orbit), max(num_samples, enough), rng)
            orbit, place = orbit[drawn], place[drawn]
            source, target = (codes[orbits[orbit, at]].astype(np.float64) for at in (place, (place + step) % period))
            errors.append(linear_map_error(source, target))
            variances.append(float(np.square(target - source).sum(axis=1).mean() / 2))  # about the orbit's centre
    if not errors:
        return None
    return max(0.0, 1 - sum(errors) / sum(variances)) if sum(variances) > 0 else 0.0


def linear_map_error(source: Float[np.ndarray, "pair latent"], target: Float[np.ndarray, "pair latent"]) -> float:
    """Mean squared distance of each target from what the least squares map, with intercept, of the others predicts.

    A source that alone moves some code cannot be mapped by the others; their mean is then what predicts its target.
    """
    source = source[:, np.ptp(source, axis=0) > 0]
    source, target = source - source.mean(axis=0), target - target.mean(axis=0)
    source /= np.linalg.norm(source, axis=0)
    variance, directions = np.linalg.eigh(source.T @ source)
    kept = variance > RANK_TOLERANCE * variance.max(initial=0)
    basis = source @ directions[:, kept] / np.sqrt(variance[kept])
    residual = target - basis @ (basis.T @ target)
    freedom = 1 - 1 / len(source) - np.square(basis).sum(axis=1, keepdims=True)  # left-out error = residual / freedom
    error = np.where(freedom > RANK_TOLERANCE, residual / freedom.clip(min=RANK_TOLERANCE), target)
    return float(np.square(error).sum(axis=1).mean())


def movement(
    codes: Float[np.ndarray, "image latent"], table: Integer[np.ndarray, "traversal value"]
) -> Float[np.ndarray, "latent latent"]:
    """Covariance of codes within traversals of one factor, but for a constant: exactly 0 where it moves no code."""
    total = np.zeros((codes.shape[1],) * 2)
    for rows in rows_by_length(table):
        for part in np.array_split(rows, 1 + rows.size * codes.shape[1] // VALUES_PER_CHUNK):
            deviation = codes[part].astype(np.float64) - codes[part[:, :1]]
            deviation -= deviation.mean(axis=1, keepdims=True)
            total += np.einsum("tvi,tvj->ij", deviation, deviation, optimize=True)
    return total


def overlap(first: Float[np.ndarray, "latent latent"], second: Float[np.ndarray, "latent latent"]) -> float:
    """Cosine of two covariances, in [0, 1]: 0 if they are of orthogonal subspaces (or 0), 1 if proportional."""
    size = np.linalg.norm(first) * np.linalg.norm(second)
    return float(min(1.0, (first * second).sum() / size)) if size > 0 else 0.0


def _periods_by_column(rep: Representation, periods: Mapping[str, int] | None) -> dict[int, int]:
    names = list(rep.factor_names)
    for name, period in (periods or {}).items():
        if name not in names:
            raise ValueError(f"group_equivariance needs periods of {', '.join(names)}, got one of {name}")
        require_at_least("group_equivariance", 2, **{f"periods.{name}": period})
    chosen = rep.periods if periods is None else periods
    cyclic = {names.index(name): period for name, period in chosen.items() if name in names}
    if not cyclic:
        raise NotApplicable(
            f"group_equivariance needs a cyclic factor, got none among {', '.join(names)}; name one and after how many"
            " steps it is back where it was: 'metric.group_equivariance.periods={hue: 10}'"
        )
    return cyclic


def _scores(name: str, by_column: Mapping[int, float]) -> dict[str, float]:
    if not by_column:
        return {}
    parts = {f"{name}_factor_{column}": score for column, score in by_column.items()}
    return {name: sum(parts.values()) / len(parts)} | parts
