"""A world in plain arrays: N of it at once, whose next state is a function of its state and of the actions."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np

_Factory = TypeVar("_Factory", bound=Callable[..., Any])

State = Mapping[str, np.ndarray]
"""All that a world is at a moment, a row for each of N: `seed`, `index` (which of the N), `episode` and `step` in it,
and what the world adds. Never changed in place.
"""
Environment = Callable[..., Any]
"""Makes so many environments, num_envs, as one of Gymnasium's (a VectorEnv): what `environment` is in a config."""
LARGEST_SEED = 2**64 - 1


class World(ABC):
    """What happens and what it looks like, without Gymnasium.

    Nothing is random but by the counters seed, index, episode and step, so that a state is all there is to keep: what
    goes on from a state that was kept equals what was never interrupted.
    """

    actions: tuple[str, ...]
    """what each is called"""
    image_shape: tuple[int, int, int]
    """height, width, channel"""
    factors: Mapping[str, int]
    """name -> number of values, in the order of the columns of `factor_values`"""
    max_steps: int
    """of an episode"""
    bounds: Mapping[str, int]
    """of arrays of a state: what their values stay below"""

    def start(self, seed: int, index: np.ndarray, episode: np.ndarray) -> State:
        """The state at the start of an episode, for N pairs of index and episode. ValueError for no seed of 64 bits."""
        if not 0 <= seed <= LARGEST_SEED:
            raise ValueError(f"seed={seed}: expected a whole number from 0 to {LARGEST_SEED}")
        return self._started(np.full(len(index), seed, np.uint64), np.asarray(index), np.asarray(episode))

    def next_episode(self, state: State) -> State:
        return self._started(state["seed"], state["index"], state["episode"] + 1)

    def _started(self, seed: np.ndarray, index: np.ndarray, episode: np.ndarray) -> State:
        clock = {"index": index, "episode": episode, "step": np.zeros(len(index))}
        clock = {name: values.astype(np.uint32) for name, values in clock.items()}
        return {"seed": seed, **clock, **self.placed({"seed": seed, **clock})}

    @abstractmethod
    def placed(self, clock: State) -> State:
        """What the world adds to seed, index, episode and step."""

    @abstractmethod
    def after(self, state: State, actions: np.ndarray) -> tuple[State, np.ndarray]:
        """The state after one action of each, and their rewards; `state` stays as it is."""

    @abstractmethod
    def draw(self, state: State) -> np.ndarray:
        """(N, height, width, channel) uint8."""

    @abstractmethod
    def factor_values(self, state: State) -> np.ndarray:
        """(N, K) int64: the value index of each of `factors`."""

    def draw_after_each(self, state: State) -> np.ndarray:
        """(N, action, height, width, channel): what each action would lead to, all else, chance too, being equal."""
        num_actions, num = len(self.actions), len(state["step"])
        repeated = {name: values.repeat(num_actions, axis=0) for name, values in state.items()}
        after, _ = self.after(repeated, np.tile(np.arange(num_actions), num))
        return self.draw(after).reshape(num, num_actions, *self.image_shape)

    def checked(self, state: State, num: int) -> State:
        """A copy of a state that was kept. ValueError where it is none of `num` worlds such as this."""
        expected = self.start(0, np.arange(num), np.zeros(num))
        if state.keys() != expected.keys():
            raise ValueError(f"a state of {type(self).__name__} has {sorted(expected)}, got {sorted(state)}")
        for name, values in expected.items():
            given = np.asarray(state[name])
            if (given.shape, given.dtype) != (values.shape, values.dtype):
                wanted, seen = (f"{array.dtype} of shape {array.shape}" for array in (values, given))
                raise ValueError(f"{name} of a state of {num} {type(self).__name__}s is {wanted}, got {seen}")
            bound = self.bounds.get(name)
            if bound is not None and (given >= bound).any():
                raise ValueError(f"{name} of a state must be below {bound}, got {given.max()}")
        return {name: np.array(state[name]) for name in expected}


def simulated_by(world: Callable[..., World], **domains: Mapping[str, Any]) -> Callable[[_Factory], _Factory]:
    """Says of what makes so many environments which world they are of, and which settings make it the `source` of an
    agent's experience, or its `target`; read with `world_of` and `domains_of`.
    """

    def declare(environment: _Factory) -> _Factory:
        vars(environment).update(world=world, domains=domains)
        return environment

    return declare


def world_of(environment: Environment) -> World | None:
    """The world of an environment as a config makes it, its settings filled in, without the extra; None of others'."""
    settings = environment.keywords if isinstance(environment, partial) else {}
    world = getattr(environment.func if isinstance(environment, partial) else environment, "world", None)
    return None if world is None else world(**settings)


def domains_of(environment: Environment) -> Mapping[str, Mapping[str, Any]]:
    """Settings that make an environment another one of its kind, by what that is called; of others', none."""
    return getattr(environment.func if isinstance(environment, partial) else environment, "domains", {})


def changed(environment: Environment, changes: Mapping[str, Any]) -> Environment:
    """The environment with some of its settings changed. ValueError for a setting that it has not."""
    known = environment.keywords if isinstance(environment, partial) else {}
    unknown = [name for name in changes if name not in known]
    if unknown:
        raise ValueError(f"the environment has no setting {unknown[0]}; there are {', '.join(known) or 'none'}")
    return partial(environment, **changes)
