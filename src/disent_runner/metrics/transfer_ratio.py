"""How much of what an agent learned in its source it keeps in the target."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from disent_runner.machine.ranges import Several
from disent_runner.metrics.estimators.returns import interval, standard_error
from disent_runner.metrics.target_return import target_of
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_playing

LEAST_ERRORS = 2
"""Standard errors by which an agent must be better than chance in its source."""


@returns(Number("transfer_ratio", "higher"), Number("transfer_ratio_low"), Number("transfer_ratio_high"))
def transfer_ratio(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_episodes: Several = 50,
    greedy: bool = False,
    target: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """(R_T - R_random) / (R_S - R_random): mean returns in target and source, less that of random actions there.

    1 where the target is no harder, 0 where nothing is kept. `_low` and `_high` are the ends of the 95 % bootstrap
    interval over episodes. Settings are those of `target_return`.

    Raises:
        NotApplicable: as `target_return`; an agent that is not better than random actions in its source by two standard
            errors of the difference, whose ratio says nothing.
        ValueError: as `target_return`.
    """
    playing = require_playing("transfer_ratio", rep)
    require_at_least("transfer_ratio", 2, num_episodes=num_episodes)
    there = target_of("transfer_ratio", playing, target)
    policy = "greedy" if greedy else "own"
    source = playing.play("source", num_episodes, rng, policy=policy).returns
    source_chance = playing.play("source", num_episodes, rng, policy="random").returns
    moved = playing.play(there, num_episodes, rng, policy=policy).returns
    moved_chance = playing.play(there, num_episodes, rng, policy="random").returns
    gain = source.mean() - source_chance.mean()
    error = np.hypot(standard_error(source), standard_error(source_chance))
    if not gain >= LEAST_ERRORS * error > 0:
        raise NotApplicable(
            f"transfer_ratio needs an agent better than chance in its source by {LEAST_ERRORS} standard errors, got "
            f"{gain:.3f} ± {error:.3f}; train it longer"
        )
    kept = interval([moved, moved_chance, source, source_chance], _ratio, rng)
    return {"transfer_ratio": kept.value, "transfer_ratio_low": kept.low, "transfer_ratio_high": kept.high}


def _ratio(
    moved: np.ndarray, moved_chance: np.ndarray, source: np.ndarray, source_chance: np.ndarray, axis: int
) -> np.ndarray | np.floating:
    gain = source.mean(axis=axis) - source_chance.mean(axis=axis)
    return (moved.mean(axis=axis) - moved_chance.mean(axis=axis)) / gain
