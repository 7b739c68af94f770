"""A world as Gymnasium has environments: many at once, and one."""

from typing import Any, final

import numpy as np
from gymnasium import Env
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from disent_runner.environments.world import State, World

_ONE = {"render_modes": ["rgb_array"], "render_fps": 8}
_MANY = {**_ONE, "autoreset_mode": AutoresetMode.SAME_STEP}


def _spaces(world: World) -> tuple[Box, Discrete]:
    return Box(0, 255, world.image_shape, np.uint8), Discrete(len(world.actions))


def _restarted(world: World, state: State | None, num: int, seed: int | None, rng: np.random.Generator) -> State:
    """By a seed the first episodes of it; without one the next episodes, or, at first, the first of a random seed."""
    if seed is None and state is not None:
        return world.next_episode(state)
    seed = int(rng.integers(2**63)) if seed is None else seed
    return world.start(seed, np.arange(num), np.zeros(num))


def _as_rgb(images: np.ndarray) -> np.ndarray:
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


@final
class VectorWorld(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N worlds in one step. Where an episode ends, the observation is the first of the next one (Gymnasium's SAME_STEP)
    and `info` has the last as `final_obs`, with `final_info`.

    `info["factors"]` is (N, K), the value of each of `world.factors`. The i-th is told by its seed and by i alone: it
    is the same among any N.
    """

    metadata = _MANY

    def __init__(self, world: World, num_envs: int, render_mode: str | None = None) -> None:
        self.world = world
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space, self.single_action_space = _spaces(world)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._state: State | None = None

    def state(self) -> dict[str, np.ndarray]:
        """All that there is to keep, a copy. ResetNeeded before the first reset."""
        return {name: values.copy() for name, values in self._now().items()}

    def restore(self, state: State) -> tuple[np.ndarray, dict[str, Any]]:
        """Go on from a state that was kept: what a reset returns, of that state. ValueError for no state of these."""
        self._state = self.world.checked(state, self.num_envs)
        return self._seen(self._state)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """By a seed the first episodes of it, without one the next episodes."""
        super().reset(seed=seed)
        self._state = _restarted(self.world, self._state, self.num_envs, seed, self.np_random)
        return self._seen(self._state)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        actions = np.asarray(actions)
        num_actions = len(self.world.actions)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise ValueError(f"expected {self.num_envs} whole numbers, got {actions.dtype} of shape {actions.shape}")
        if actions.min() < 0 or actions.max() >= num_actions:
            raise ValueError(f"actions are 0 to {num_actions - 1}, got {actions.min()} to {actions.max()}")
        state, rewards = self.world.after(self._now(), actions)
        images, info = self._seen(state)
        truncated = state["step"] >= self.world.max_steps
        if truncated.any():
            state, images, info = self._begun_anew(truncated, state, images, info)
        self._state = state
        return images, rewards, np.zeros(self.num_envs, bool), truncated, info

    def render(self) -> tuple[np.ndarray, ...] | None:
        """The observations in three channels."""
        return None if self.render_mode is None else tuple(_as_rgb(self.world.draw(self._now())))

    def _now(self) -> State:
        if self._state is None:
            raise ResetNeeded("reset() comes before all else")
        return self._state

    def _seen(self, state: State) -> tuple[np.ndarray, dict[str, Any]]:
        return self.world.draw(state), {"factors": self.world.factor_values(state)}

    def _begun_anew(
        self, is_over: np.ndarray, state: State, images: np.ndarray, info: dict[str, Any]
    ) -> tuple[State, np.ndarray, dict[str, Any]]:
        last = np.full(self.num_envs, None)
        for row, image in zip(np.flatnonzero(is_over), images[is_over], strict=True):  # Gymnasium wants objects
            last[row] = image
        fresh = self.world.next_episode({name: values[is_over] for name, values in state.items()})
        begun = {name: values.copy() for name, values in state.items()}
        for name, values in fresh.items():
            begun[name][is_over] = values
        factors = info["factors"].copy()
        images[is_over], factors[is_over] = self.world.draw(fresh), self.world.factor_values(fresh)
        final = {"final_obs": last, "_final_obs": is_over.copy(), "final_info": info, "_final_info": is_over.copy()}
        return begun, images, {"factors": factors, **final}


@final
class SingleWorld(Env[np.ndarray, np.int64]):
    """The first of many: what `VectorWorld` of one does, but that the next episode waits for a reset."""

    metadata = _ONE

    def __init__(self, world: World, render_mode: str | None = None) -> None:
        self.world = world
        self.render_mode = render_mode
        self.observation_space, self.action_space = _spaces(world)
        self._state: State | None = None

    def state(self) -> dict[str, np.ndarray]:
        """All that there is to keep, a copy, in arrays with one row. ResetNeeded before the first reset."""
        return {name: values.copy() for name, values in self._now().items()}

    def restore(self, state: State) -> tuple[np.ndarray, dict[str, Any]]:
        """Go on from a state that was kept: what a reset returns, of that state. ValueError for no state of this."""
        self._state = self.world.checked(state, 1)
        return self._seen(self._state)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """By a seed the first episode of it, without one the next episode."""
        super().reset(seed=seed)
        self._state = _restarted(self.world, self._state, 1, seed, self.np_random)
        return self._seen(self._state)

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise ValueError(f"actions are 0 to {len(self.world.actions) - 1}, got {action}")
        self._state, rewards = self.world.after(self._now(), np.array([action]))
        image, info = self._seen(self._state)
        return image, float(rewards[0]), False, bool(self._state["step"][0] >= self.world.max_steps), info

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The observation in three channels."""
        return None if self.render_mode is None else _as_rgb(self.world.draw(self._now()))[0]

    def _now(self) -> State:
        if self._state is None:
            raise ResetNeeded("reset() comes before all else")
        return self._state

    def _seen(self, state: State) -> tuple[np.ndarray, dict[str, Any]]:
        return self.world.draw(state)[0], {"factors": self.world.factor_values(state)[0]}
