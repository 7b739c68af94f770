"""Algorithms of Stable-Baselines3, driven an iteration at a time, so that the runner logs, saves and stops in between.

Their own `learn` counts from its start to an end that it must know, and keeps its state in pickles.
"""

from collections.abc import Mapping
from copy import deepcopy
from math import isfinite
from typing import Any, final

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor, nn

from disent_runner.agents.learner import Eyes, MakeOptimizer
from disent_runner.environments.seen import Seen

_UNLIMITED = 1e9
"""Of codes: their space must have bounds."""
_NOT_TOLD = ("n_updates", "learning_rate", "clip_range")
_NUMBERS = ("num_timesteps", "_n_updates", "_episode_num", "_n_calls", "exploration_rate")


@final
class SeenEnvs(VecEnv):
    """What `Seen` sees, as Stable-Baselines3 has environments."""

    def __init__(self, seen: Seen, shape: int | tuple[int, int, int], num_actions: int) -> None:
        self.seen = seen
        self.render_mode = None
        is_code = isinstance(shape, int)
        space = Box(-_UNLIMITED, _UNLIMITED, (shape,), np.float32) if is_code else Box(0, 255, shape, np.uint8)
        super().__init__(seen.num_envs, space, Discrete(num_actions))
        self._actions = np.zeros(seen.num_envs, np.int64)

    def reset(self) -> np.ndarray:
        return self.seen.reset(self._seeds[0] or 0)

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        moment = self.seen.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row, last in zip(np.flatnonzero(moment.is_over).tolist(), moment.last, strict=True):
            infos[row] = {"terminal_observation": last, "TimeLimit.truncated": bool(moment.is_cut[row])}
        return moment.seen, moment.rewards, moment.is_over, infos

    def close(self) -> None:
        self.seen.many.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"{attr_name} of an environment cannot be set")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        raise AttributeError(f"{method_name} of an environment cannot be called")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


@final
class EyesOfPolicy(BaseFeaturesExtractor):
    """A copy of the eyes for each network of a policy."""

    def __init__(self, observation_space: Any, eyes: Eyes) -> None:
        super().__init__(observation_space, eyes.num_codes)
        self.eyes = deepcopy(eyes)

    def forward(self, observations: Tensor) -> Tensor:
        return self.eyes(observations)


def policy_settings(eyes: Eyes | None, hidden: list[int]) -> dict[str, Any]:
    """What every policy is made with: layers of so many units, after the eyes if there are any."""
    settings: dict[str, Any] = {"net_arch": list(hidden)}
    if eyes is not None:
        settings |= {"features_extractor_class": EyesOfPolicy, "features_extractor_kwargs": {"eyes": eyes}}
    return settings


class _Nothing(BaseCallback):
    def _on_step(self) -> bool:
        return True


@final
class StableBaselines:
    """An algorithm with its policy, its environments and, off policy, what it remembers."""

    def __init__(self, algorithm: OnPolicyAlgorithm | OffPolicyAlgorithm, eyes: Eyes | None) -> None:
        assert isinstance(algorithm.env, SeenEnvs)
        self._algorithm: Any = algorithm
        self._seen = algorithm.env.seen
        self._callback = _Nothing()
        self._has_begun = False
        self.network: nn.Module = algorithm.policy
        for module in self.network.modules():  # which were given new weights with the policy's own
            if eyes is not None and isinstance(module, EyesOfPolicy):
                module.eyes.load_state_dict(eyes.state_dict())
        self.network.train()  # all of it, as Lightning expects; the algorithm has its own mind from then on
        self._is_on_policy = isinstance(algorithm, OnPolicyAlgorithm)
        frequency = self._algorithm.n_steps if self._is_on_policy else self._algorithm.train_freq.frequency
        self.steps_each: int = frequency * algorithm.n_envs
        algorithm.set_logger(Logger(None, []))
        self._callback.init_callback(algorithm)

    def optimizers(self, make: MakeOptimizer) -> dict[str, torch.optim.Optimizer]:
        """One for the policy, whose learning rate is nobody else's."""
        trained = self.network if self._is_on_policy else self._algorithm.q_net
        optimizer = make(list(trained.parameters()))
        self.network.optimizer = optimizer  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
        self._algorithm.lr_schedule = lambda _: optimizer.param_groups[0]["lr"]
        return {"policy": optimizer}

    def begin(self, seed: int) -> None:
        if not self._has_begun:
            self._go_on(self._seen.reset(seed), np.ones(self._seen.num_envs, bool))

    def _go_on(self, seen: np.ndarray, is_first: np.ndarray) -> None:
        self._algorithm.ep_info_buffer, self._algorithm.ep_success_buffer = [], []  # the tally is kept elsewhere
        self._algorithm._last_obs, self._algorithm._last_episode_starts = seen, is_first
        self._has_begun = True

    def advance(self, step: int) -> dict[str, float]:
        algorithm = self._algorithm
        algorithm.logger.name_to_value.clear()
        if self._is_on_policy:
            algorithm.collect_rollouts(algorithm.env, self._callback, algorithm.rollout_buffer, algorithm.n_steps)
            algorithm.train()
        else:
            algorithm.q_net_target.eval()
            algorithm.action_space.seed(step)  # what it explores with is then a function of the step
            self._collect()
            while algorithm.num_timesteps <= algorithm.learning_starts:
                self._collect()
            algorithm.train(gradient_steps=algorithm.gradient_steps, batch_size=algorithm.batch_size)
        told = {name.partition("/")[2]: float(value) for name, value in algorithm.logger.name_to_value.items()}
        told = {name: value for name, value in told.items() if name not in _NOT_TOLD}
        if "loss" not in told:  # A2C tells its parts alone
            parts = algorithm.ent_coef * told["entropy_loss"] + algorithm.vf_coef * told["value_loss"]
            told = {"loss": told["policy_loss"] + parts, **told}
        return {name: value for name, value in told.items() if isfinite(value)}  # nothing to explain has no share

    def _collect(self) -> None:
        algorithm = self._algorithm
        algorithm.collect_rollouts(
            algorithm.env,
            self._callback,
            train_freq=algorithm.train_freq,
            replay_buffer=algorithm.replay_buffer,
            learning_starts=algorithm.learning_starts,
        )

    @torch.no_grad()
    def chances(self, seen: np.ndarray) -> np.ndarray:
        policy: Any = self.network
        policy.set_training_mode(False)
        observations = torch.as_tensor(seen, device=policy.device)
        if self._is_on_policy:
            return policy.get_distribution(observations).distribution.probs.cpu().numpy()
        best = policy.q_net(observations).argmax(1).cpu().numpy()
        num_actions, explored = int(self._algorithm.action_space.n), self._algorithm.exploration_final_eps
        return (1 - explored) * np.eye(num_actions)[best] + explored / num_actions

    def to(self, device: torch.device) -> None:
        for holder in (self._algorithm, self._buffer()):
            holder.device = device

    def _buffer(self) -> Any:
        return self._algorithm.rollout_buffer if self._is_on_policy else self._algorithm.replay_buffer

    def state(self) -> dict[str, Any]:
        if not self._has_begun:
            return {}
        counts = {name: getattr(self._algorithm, name) for name in _NUMBERS if hasattr(self._algorithm, name)}
        arrays = {"last_seen": self._algorithm._last_obs, "is_first": self._algorithm._last_episode_starts}
        arrays |= {f"seen.{name}": values for name, values in self._seen.state().items()}
        if not self._is_on_policy:
            buffer = self._buffer()
            counts |= {"buffer_position": buffer.pos, "buffer_is_full": buffer.full}
            arrays |= {f"buffer.{name}": values[: buffer.size()] for name, values in _arrays_of(buffer).items()}
        return {**counts, **{name: torch.from_numpy(np.array(values)) for name, values in arrays.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        if not state:
            return
        for name in _NUMBERS:
            if name in state:
                setattr(self._algorithm, name, state[name])
        if not self._is_on_policy:
            buffer = self._buffer()
            buffer.pos, buffer.full = state["buffer_position"], state["buffer_is_full"]
            for name, values in _arrays_of(buffer).items():
                values[: buffer.size()] = state[f"buffer.{name}"].numpy()
        seen = {name.removeprefix("seen."): kept.numpy() for name, kept in state.items() if name.startswith("seen.")}
        if seen:
            self._seen.restore(seen)
            self._go_on(state["last_seen"].numpy(), state["is_first"].numpy())
        else:  # what cannot say its state begins other episodes
            self.begin(state["num_timesteps"])


def _arrays_of(buffer: Any) -> dict[str, np.ndarray]:
    return {name: values for name, values in vars(buffer).items() if isinstance(values, np.ndarray)}
