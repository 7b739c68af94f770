"""What an agent's episodes come to where it learned to act (Higgins et al. 2017, DARLA, section 4)."""

import numpy as np

from disent_runner.machine.ranges import Several
from disent_runner.metrics.estimators.returns import mean_interval
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.playing import Playing, Where
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_at_least, require_playing


@returns(
    Number("source_return", "higher"),
    Number("source_return_low"),
    Number("source_return_high"),
    Number("source_return_random"),
    Number("source_return_length", unit="steps"),
)
def source_return(
    rep: Representation, *, rng: np.random.Generator, num_episodes: Several = 50, greedy: bool = False
) -> dict[str, float]:
    """Mean sum of the rewards of an episode, over `num_episodes` of rooms that training never had.

    The rooms are the same for every agent and seed. `_low` and `_high` are the ends of the 95 % bootstrap interval of
    the mean over episodes, `_random` is what random actions come to in the same rooms, `_length` the mean number of
    steps. Actions are drawn from the policy, with the exploration that never ends; the likeliest ones if `greedy`.

    Raises:
        NotApplicable: a model that does not act for rewards.
        ValueError: `num_episodes` below 2.
    """
    playing = require_playing("source_return", rep)
    require_at_least("source_return", 2, num_episodes=num_episodes)
    return returns_where("source_return", "source", playing, rng, num_episodes=num_episodes, greedy=greedy)


def returns_where(
    name: str, where: Where, playing: Playing, rng: np.random.Generator, *, num_episodes: int, greedy: bool
) -> dict[str, float]:
    """The numbers of a domain, by names that begin with `name`."""
    own = playing.play(where, num_episodes, rng, policy="greedy" if greedy else "own")
    chance = playing.play(where, num_episodes, rng, policy="random")
    mean = mean_interval(own.returns, rng)
    return {
        name: mean.value,
        f"{name}_low": mean.low,
        f"{name}_high": mean.high,
        f"{name}_random": float(chance.returns.mean()),
        f"{name}_length": float(own.lengths.mean()),
    }
