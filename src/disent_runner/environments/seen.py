"""Many environments as an agent has them: what it sees of their images, rewards, and what its episodes came to."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, final, runtime_checkable

import numpy as np

from disent_runner.environments.world import State

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

_WORLD = "world."
See = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Images (N, height, width, channel) and the true factors (N, K), None where they are not known -> observations."""


@runtime_checkable
class Restorable(Protocol):
    """Environments that can say all that they are, and go on from it."""

    def state(self) -> dict[str, np.ndarray]: ...

    def restore(self, state: State) -> tuple[np.ndarray, dict[str, Any]]: ...


class Moment(NamedTuple):
    """What came of one action of each of N."""

    seen: np.ndarray
    """(N, …): of the next episode where one is over"""
    rewards: np.ndarray
    """(N,) float32"""
    is_over: np.ndarray
    """(N,) bool"""
    is_cut: np.ndarray
    """(N,) bool: over, but only because episodes are no longer"""
    last: np.ndarray
    """(M, …): what the M that are over ended with, in their order"""


@final
class Seen:
    """N environments that begin anew by themselves, seen by `see`, and a tally of returns and lengths of episodes."""

    def __init__(self, many: "VectorEnv", see: See) -> None:
        self.many = many
        self.see = see
        self.num_envs = many.num_envs
        self.finished: list[tuple[float, int]] = []
        """Return and length of episodes that are over, until somebody takes them."""

    def reset(self, seed: int) -> np.ndarray:
        """The first observations of the first episodes of a seed."""
        self._returns, self._lengths = np.zeros(self.num_envs), np.zeros(self.num_envs, np.int64)
        self.finished = []
        images, info = self.many.reset(seed=seed)
        return self.see(images, info.get("factors"))

    def step(self, actions: np.ndarray) -> Moment:
        images, rewards, is_terminal, is_cut, info = self.many.step(actions)
        is_over = is_terminal | is_cut
        seen = self.see(images, info.get("factors"))
        self._returns += rewards
        self._lengths += 1
        last = seen[:0]
        if is_over.any():
            last = self._last(is_over, info)
            self.finished += zip(self._returns[is_over].tolist(), self._lengths[is_over].tolist(), strict=True)
            self._returns[is_over], self._lengths[is_over] = 0, 0
        return Moment(seen, rewards.astype(np.float32), is_over, is_cut & ~is_terminal, last)

    def _last(self, is_over: np.ndarray, info: Mapping[str, Any]) -> np.ndarray:
        images = np.stack(list(info["final_obs"][is_over]))
        factors = info["final_info"].get("factors")
        return self.see(images, None if factors is None else factors[is_over])

    def take_finished(self) -> list[tuple[float, int]]:
        taken, self.finished = self.finished, []
        return taken

    def state(self) -> dict[str, np.ndarray]:
        """What `restore` takes; of environments that cannot say theirs, nothing."""
        if not isinstance(self.many, Restorable):
            return {}
        world = {f"{_WORLD}{name}": values for name, values in self.many.state().items()}
        return {**world, "returns": self._returns.copy(), "lengths": self._lengths.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that was kept, as if nothing had been. ValueError where it is none of these."""
        if not isinstance(self.many, Restorable):
            raise ValueError("these environments cannot go on from a state")
        world = {name.removeprefix(_WORLD): kept for name, kept in state.items() if name.startswith(_WORLD)}
        self.many.restore(world)
        self._returns, self._lengths = np.array(state["returns"]), np.array(state["lengths"])
        self.finished = []


class Episodes(NamedTuple):
    """The first episode of each of N environments."""

    returns: np.ndarray
    """(N,)"""
    lengths: np.ndarray
    """(N,)"""
    frames: tuple[np.ndarray, ...]
    """each (N, height, width, channel) uint8, from the first on; what is over stays as it ended. None were asked: ()"""


def play(
    many: "VectorEnv",
    see: See,
    choose: Callable[[np.ndarray], np.ndarray],
    *,
    seed: int,
    keep_frames: bool = False,
) -> Episodes:
    """One episode of each; `choose` has observations (N, …) and gives actions (N,)."""
    images, info = many.reset(seed=seed)
    num = many.num_envs
    returns, lengths, is_on = np.zeros(num), np.zeros(num, np.int64), np.ones(num, bool)
    frames = [images.copy()] if keep_frames else []
    while is_on.any():
        actions = choose(see(images, info.get("factors")))
        images, rewards, is_terminal, is_cut, info = many.step(actions)
        returns += rewards * is_on
        lengths += is_on
        is_over = is_on & (is_terminal | is_cut)
        if keep_frames:
            shown = images.copy()
            shown[~is_on] = frames[-1][~is_on]
            for row in np.flatnonzero(is_over):
                shown[row] = info["final_obs"][row]
            frames.append(shown)
        is_on &= ~is_over
    many.close()
    return Episodes(returns, lengths, tuple(frames))
