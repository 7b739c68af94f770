"""How an agent plays, as functions of arrays."""

from __future__ import annotations  # with torch under TYPE_CHECKING: representations of arrays need none

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, final, runtime_checkable

import numpy as np

from disent_runner.environments.seen import Episodes

if TYPE_CHECKING:
    from disent_runner.models.base import AbstractModel

Where = str | Mapping[str, Any]
"""`source`, `target`, or the settings of the environment that differ."""
Policy = Literal["own", "greedy", "random"]


class Play(Protocol):
    """Episodes in rooms that training never had, those of one `seed` the same for every agent; `rng` is for actions."""

    def __call__(
        self,
        where: Where,
        num_episodes: int,
        rng: np.random.Generator,
        *,
        policy: Policy = "own",
        seed: int = 0,
        keep_frames: bool = False,
    ) -> Episodes: ...


@final
@dataclass(frozen=True, eq=False)
class Playing:
    """An agent at play."""

    actions: Sequence[str]
    domains: Collection[str]
    """Domains of its environment that have a name: `source`, `target`."""
    play: Play


@runtime_checkable
class Player(Protocol):
    """A model that acts in environments of its own, whatever its class."""

    actions: Sequence[str]
    domains: Collection[str]
    play: Play


def playing_of(model: AbstractModel) -> Playing | None:
    """None for a model that does not play. In evaluation mode."""
    if not isinstance(model, Player):
        return None
    model.eval()
    return Playing(tuple(model.actions), tuple(model.domains), model.play)
