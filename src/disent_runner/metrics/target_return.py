"""What an agent's episodes come to where it never learned (Higgins et al. 2017, DARLA, section 4)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from disent_runner.machine.ranges import Several
from disent_runner.metrics.source_return import returns_where
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.playing import Playing, Where
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_playing


@returns(
    Number("target_return", "higher"),
    Number("target_return_low"),
    Number("target_return_high"),
    Number("target_return_random"),
    Number("target_return_length", unit="steps"),
)
def target_return(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_episodes: Several = 50,
    greedy: bool = False,
    target: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """As `source_return`, without any further training, in the target domain: rooms of the same places and other hues.

    `target` are the settings of the environment that differ there; None for those that it names its target.

    Raises:
        NotApplicable: a model that does not act for rewards, or an environment without a target.
        ValueError: `num_episodes` below 2, or a setting that the environment has not.
    """
    playing = require_playing("target_return", rep)
    require_at_least("target_return", 2, num_episodes=num_episodes)
    where = target_of("target_return", playing, target)
    return returns_where("target_return", where, playing, rng, num_episodes=num_episodes, greedy=greedy)


def target_of(metric: str, playing: Playing, target: Mapping[str, Any] | None) -> Where:
    """NotApplicable, naming the metric, where nobody says what the target is."""
    if target is not None:
        return target
    if "target" not in playing.domains:
        raise NotApplicable(
            f"{metric} needs an environment with a target domain, or which settings differ there, "
            f"'metric.{metric}.target={{…}}'"
        )
    return "target"
