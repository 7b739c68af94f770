"""A block on a grid: what Independently Controllable Factors are learned from (Thomas et al. 2017).

As in the authors' code (bengioe/implementations, DL/ICF_simple, c59cf5a): 12x12 pixels, a block of 2x2 that moves by a
pixel and that walls stop. Added: an object that a fifth action turns on and off from anywhere, and a block that
walks at random, whatever is done.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np

from disent_runner.environments.extra import needs_agents
from disent_runner.environments.world import State, World, simulated_by
from disent_runner.machine.philox import below, random_words
from disent_runner.machine.ranges import Count
from disent_runner.rendering.blocks import BLOCK_SIDE, GRID_SIDE, draw_blocks

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

NUM_PLACES = GRID_SIDE - BLOCK_SIDE + 1
MOVES = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (0, 0)])
"""(x, y), y downwards; the last toggles."""
AGENT, DISTRACTOR, OFF, ON = 255, 150, 60, 210
"""Levels of grey."""


@final
class IcfGrid(World):
    """Rewards nothing. Later ones of distractor, object and agent lie over earlier ones."""

    def __init__(
        self, *, toggled_object: bool = False, distractor: bool = False, scale: Count = 1, max_steps: Count = 40
    ) -> None:
        self.toggled_object = toggled_object
        self.distractor = distractor
        self.scale = scale
        self.max_steps = max_steps
        self.actions = ("right", "left", "down", "up", *(("toggle",) if toggled_object else ()))
        self.image_shape = (GRID_SIDE * scale, GRID_SIDE * scale, 1)
        names = ["agent", *(["object"] if toggled_object else []), *(["distractor"] if distractor else [])]
        self.bounds = dict.fromkeys(names, NUM_PLACES) | ({"is_on": 2} if toggled_object else {})
        self._blocks = names
        places = {f"{name}_{axis}": NUM_PLACES for name in names for axis in "xy"}
        self.factors: Mapping[str, int] = places | ({"object_on": 2} if toggled_object else {})

    def placed(self, clock: State) -> State:
        words = random_words(clock["seed"], clock["step"], clock["episode"], clock["index"], count=7)
        places = below(NUM_PLACES, words[:, :6]).astype(np.uint8).reshape(-1, 3, 2)
        of_name = {"agent": places[:, 0], "object": places[:, 1], "distractor": places[:, 2]}
        blocks = {name: of_name[name] for name in self._blocks}
        return blocks | ({"is_on": words[:, 6] < 2**31} if self.toggled_object else {})

    def after(self, state: State, actions: np.ndarray) -> tuple[State, np.ndarray]:
        step = state["step"] + np.uint32(1)
        changed = {"step": step, "agent": _moved(state["agent"], actions)}
        if self.toggled_object:
            changed["is_on"] = state["is_on"] ^ (actions == self.actions.index("toggle"))
        if self.distractor:
            words = random_words(state["seed"], step, state["episode"], state["index"], count=1)
            changed["distractor"] = _moved(state["distractor"], below(4, words[:, 0]))
        return {**state, **changed}, np.zeros(len(step))

    def draw(self, state: State) -> np.ndarray:
        levels = {"agent": np.full(len(state["step"]), AGENT), "distractor": np.full(len(state["step"]), DISTRACTOR)}
        if self.toggled_object:
            levels["object"] = np.where(state["is_on"], ON, OFF)
        order = self._blocks[::-1]
        corners = np.stack([state[name] for name in order], axis=1).astype(np.int64)
        return draw_blocks(corners, np.stack([levels[name] for name in order], axis=1), scale=self.scale)

    def factor_values(self, state: State) -> np.ndarray:
        columns = [state[name] for name in self._blocks]
        columns += [state["is_on"][:, None]] if self.toggled_object else []
        return np.concatenate(columns, axis=1).astype(np.int64)


def _moved(places: np.ndarray, moves: np.ndarray) -> np.ndarray:
    return np.clip(places + MOVES[moves], 0, NUM_PLACES - 1).astype(np.uint8)


@simulated_by(IcfGrid)
def icf_grid(
    num_envs: Count = 1,
    *,
    toggled_object: bool = False,
    distractor: bool = False,
    scale: Count = 1,
    max_steps: Count = 40,
    render_mode: str | None = None,
) -> "VectorEnv":
    """So many grids as one environment; `scale` is how many pixels wide each of the 12x12 is.

    Raises ValueError without the extra.
    """
    needs_agents("environment=icf_grid")
    from disent_runner.environments.gymnasium_worlds import VectorWorld

    world = IcfGrid(toggled_object=toggled_object, distractor=distractor, scale=scale, max_steps=max_steps)
    return VectorWorld(world, num_envs, render_mode)
