"""Model-free episodic control (Blundell et al. 2016): do what once came to most, here or where it looked like here."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
import torch
from torch import nn

from disent_runner.agents.learner import Eyes, Learner, MakeOptimizer
from disent_runner.environments.extra import needs_agents
from disent_runner.environments.seen import Seen
from disent_runner.machine.ranges import Count, Share

_FIRST_ROWS = 1024


def mfec(
    seen: Seen,
    eyes: Eyes | None,
    shape: int | tuple[int, int, int],
    num_actions: int,
    *,
    k: Count,
    capacity: Count,
    epsilon: Share,
    gamma: Share,
    n_steps: Count,
) -> Learner:
    """Raises ValueError without the extra, and for eyes that would have to be trained: a table has no gradient."""
    needs_agents("model=mfec")
    if eyes is not None and [*eyes.parameters()]:
        raise ValueError(
            "model=mfec trains no eyes; choose vision=darla, vae, ent, dae, oracle, or raw with model.encoder as it is"
        )
    length = shape if eyes is None else eyes.num_codes
    assert isinstance(length, int), "what has channels needs eyes"
    tables = [Table(length, capacity) for _ in range(num_actions)]
    return EpisodicControl(seen, eyes, tables, k=k, epsilon=epsilon, gamma=gamma, n_steps=n_steps)


@final
class Table:
    """What one action came to: M codes of D numbers, and for each the largest return that ever followed."""

    def __init__(self, length: int, capacity: int) -> None:
        self._keys, self._values = np.empty((_FIRST_ROWS, length), np.float32), np.empty(_FIRST_ROWS, np.float32)
        self._capacity = capacity
        self._rows: OrderedDict[bytes, int] = OrderedDict()  # from what was written longest ago on

    def __len__(self) -> int:
        return len(self._rows)

    def write(self, key: np.ndarray, value: float) -> None:
        """The larger of the value that is there and this one (eq. 1), or this one. Where there is no room, what was
        written longest ago is forgotten.
        """
        name = key.tobytes()
        if name in self._rows:
            row = self._rows[name]
            self._values[row] = max(self._values[row], np.float32(value))
            self._rows.move_to_end(name)
        else:
            row = self._rows[name] = self._free_row()
            self._keys[row], self._values[row] = key, value

    def _free_row(self) -> int:
        if len(self) == self._capacity:
            return self._rows.popitem(last=False)[1]
        if len(self) == len(self._keys):
            self._keys = np.concatenate([self._keys, np.empty_like(self._keys)])
            self._values = np.concatenate([self._values, np.empty_like(self._values)])
        return len(self)

    def read(self, keys: np.ndarray, k: int) -> np.ndarray:
        """(N,) for (N, D): the value of a code that is there, else the mean of the `k` nearest, or of all where they
        are fewer (eq. 2).

        0 where there are none, of which the paper says nothing: the worth of an episode without rewards, so that what
        was never tried is tried before what was punished, and not before what was rewarded.
        """
        if not self._rows:
            return np.zeros(len(keys), np.float32)
        known = torch.from_numpy(self._keys[: len(self)])
        exact = "donot_use_mm_for_euclid_dist"  # the distance of equal codes is then 0, and of no others
        distances = torch.cdist(torch.from_numpy(keys), known, compute_mode=exact)
        nearest = distances.topk(min(k, len(self)), largest=False)
        values = torch.from_numpy(self._values)[nearest.indices]
        return torch.where(nearest.values[:, 0] == 0, values[:, 0], values.mean(1)).numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Codes and values where they lie, by which those of one distance are told apart, and the order of writing."""
        order = np.fromiter(self._rows.values(), np.int64, len(self))
        return {"keys": self._keys[: len(self)].copy(), "values": self._values[: len(self)].copy(), "order": order}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        num, room = len(state["keys"]), np.empty((_FIRST_ROWS, self._keys.shape[1]), np.float32)
        self._keys = np.concatenate([state["keys"], room])
        self._values = np.concatenate([state["values"], room[:, 0]])
        self._rows = OrderedDict((self._keys[row].tobytes(), row) for row in state["order"].tolist())
        assert len(self) == num


class _Step(NamedTuple):
    """Of all environments at once: codes (N, D), actions (N,), rewards (N,)."""

    keys: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray


@final
class EpisodicControl:
    """A table for each action, written when an episode is over, also one that is only cut; ε-greedy, ties at random."""

    def __init__(
        self,
        seen: Seen,
        eyes: Eyes | None,
        tables: list[Table],
        *,
        k: int,
        epsilon: float,
        gamma: float,
        n_steps: int,
    ) -> None:
        self.network: nn.Module = nn.Identity() if eyes is None else eyes
        self.steps_each: int = n_steps * seen.num_envs
        self.tables = tables
        self._seen = seen
        self._k, self._epsilon, self._gamma, self._n_steps = k, epsilon, gamma, n_steps
        self._now: np.ndarray | None = None  # codes of what is seen, from the first episode on
        self._num_steps = 0
        self._steps: list[_Step] = []  # since the oldest episode began that is not over
        self._begun = np.zeros(seen.num_envs, np.int64)  # which of these steps is the first of each one's episode

    def optimizers(self, make: MakeOptimizer) -> dict[str, torch.optim.Optimizer]:
        """None: nothing has a gradient."""
        return {}

    def begin(self, seed: int) -> None:
        if self._now is None:
            self._now = self._keys(self._seen.reset(seed))

    def advance(self, step: int) -> dict[str, float]:
        """`n_steps` actions in each environment.

        `loss` is no loss, as nothing is minimised: the mean distance of what an action was worth from its reward and
        the discounted worth of the best one that follows. `entries` are those of all tables.
        """
        assert self._now is not None, "advance comes after begin"
        values, distance = self._worth(self._now), 0.0
        for _ in range(self._n_steps):
            actions = torch.multinomial(torch.from_numpy(self._chances(values)), 1)[:, 0].numpy()
            moment = self._seen.step(actions)
            self._steps.append(_Step(self._now, actions, moment.rewards))
            for env in np.flatnonzero(moment.is_over).tolist():
                self._write(env)
            self._forget()
            self._now = self._keys(moment.seen)
            before, values = values[np.arange(len(actions)), actions], self._worth(self._now)
            following = np.where(moment.is_over, 0, values.max(1))
            distance += float(np.abs(moment.rewards + self._gamma * following - before).mean())
        self._num_steps += self._n_steps
        return {"loss": distance / self._n_steps, "entries": float(sum(map(len, self.tables)))}

    def _write(self, env: int) -> None:
        """The episode that is over, from its end."""
        value = 0.0
        for step in reversed(self._steps[self._begun[env] :]):
            value = float(step.rewards[env]) + self._gamma * value
            self.tables[step.actions[env]].write(step.keys[env], value)
        self._begun[env] = len(self._steps)

    def _forget(self) -> None:
        num_over = int(self._begun.min())
        del self._steps[:num_over]
        self._begun -= num_over

    @torch.no_grad()
    def _keys(self, seen: np.ndarray) -> np.ndarray:
        codes = torch.from_numpy(seen)
        if isinstance(self.network, Eyes):
            device = next((buffer.device for buffer in self.network.buffers()), codes.device)
            codes = self.network(codes.to(device).float() / 255).cpu()
        return codes.numpy() + np.float32(0)  # a code with -0 is the same

    def _worth(self, keys: np.ndarray) -> np.ndarray:
        return np.stack([table.read(keys, self._k) for table in self.tables], axis=1)

    def _chances(self, values: np.ndarray) -> np.ndarray:
        is_best = values == values.max(1, keepdims=True)
        return (1 - self._epsilon) * is_best / is_best.sum(1, keepdims=True) + self._epsilon / values.shape[1]

    def chances(self, seen: np.ndarray) -> np.ndarray:
        return self._chances(self._worth(self._keys(seen)))

    def to(self, device: torch.device) -> None:
        """Nothing else to move: tables stay where environments are."""

    def state(self) -> dict[str, Any]:
        if self._now is None:
            return {}
        shape = (-1, *self._now.shape)
        arrays = {"now": self._now, "begun": self._begun}
        arrays["steps.keys"] = np.array([step.keys for step in self._steps], np.float32).reshape(shape)
        arrays["steps.actions"] = np.array([step.actions for step in self._steps], np.int64).reshape(shape[:2])
        arrays["steps.rewards"] = np.array([step.rewards for step in self._steps], np.float32).reshape(shape[:2])
        arrays |= {f"{i}.{name}": kept for i, table in enumerate(self.tables) for name, kept in table.state().items()}
        arrays |= {f"seen.{name}": kept for name, kept in self._seen.state().items()}
        tensors = {name: torch.from_numpy(np.array(kept)) for name, kept in arrays.items()}
        return {"num_steps": self._num_steps, **tensors}

    def restore(self, state: Mapping[str, Any]) -> None:
        if not state:
            return
        if f"{len(self.tables) - 1}.order" not in state or f"{len(self.tables)}.order" in state:
            raise ValueError(f"the state is not that of model=mfec with {len(self.tables)} actions")
        arrays = {name: kept.numpy() for name, kept in state.items() if isinstance(kept, torch.Tensor)}
        for i, table in enumerate(self.tables):
            table.restore(_inside(arrays, f"{i}."))
        self._num_steps = state["num_steps"]
        seen = _inside(arrays, "seen.")
        if seen:
            self._seen.restore(seen)
            self._now, self._begun = arrays["now"].copy(), arrays["begun"].copy()
            columns = [arrays[f"steps.{name}"] for name in _Step._fields]
            self._steps = [_Step(*one) for one in zip(*columns, strict=True)]
        else:  # what cannot say its state begins other episodes
            self.begin(self._num_steps)


def _inside(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): kept for name, kept in arrays.items() if name.startswith(prefix)}
