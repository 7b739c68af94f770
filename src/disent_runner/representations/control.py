"""What a model does to its features by acting, as functions of arrays."""

from __future__ import annotations  # with torch under TYPE_CHECKING: representations of arrays need none

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, final, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from disent_runner.models.base import AbstractModel


class Probe(NamedTuple):
    """States that training never began with, and what each action leads to."""

    before: np.ndarray
    """(state, feature)"""
    after: np.ndarray
    """(state, action, feature)"""
    policies: np.ndarray
    """(state, feature, action): the probability of each action under each feature's policy"""


@final
@dataclass(frozen=True, eq=False)
class Control:
    """Actions, what features are rewarded for, and a look at what the model does to them."""

    actions: tuple[str, ...]
    is_directed: bool
    """whether a feature is to increase, rather than to change either way"""
    probe: Callable[[int, np.random.Generator], Probe]
    """number of states, random generator -> that many transitions of every action"""


@runtime_checkable
class Controlling(Protocol):
    """A model with a policy for each feature, in a world that it can ask, whatever its class."""

    actions: Sequence[str]
    is_directed: bool

    def probe(self, num_states: int, seed: int) -> tuple[Tensor, Tensor, Tensor]: ...


def control_of(model: AbstractModel) -> Control | None:
    """What the model does to its features; None for one that does not act.

    Computed on the model's device, in evaluation mode and without gradients.
    """
    if not isinstance(model, Controlling):
        return None
    model.eval()

    def probe(num_states: int, rng: np.random.Generator) -> Probe:
        found = model.probe(num_states, int(rng.integers(2**31)))
        return Probe(*(values.float().cpu().numpy() for values in found))

    return Control(actions=tuple(model.actions), is_directed=model.is_directed, probe=probe)
