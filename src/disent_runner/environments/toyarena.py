"""A room with good and bad things, three of each: a stand-in for the seek-avoid task of DARLA (Higgins et al. 2017).

Shape says what is good, hues say nothing. Domains differ in the hues of floor, wall and objects alone: `all` has every
triple, `source` a few, in which each floor goes with objects of the opposite hue, `target` others, which the source
never has.
"""

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from disent_runner.environments.extra import needs_agents
from disent_runner.environments.world import State, World, simulated_by
from disent_runner.machine.philox import below, random_words
from disent_runner.machine.ranges import Count, WholeNumber
from disent_runner.rendering.arena import AGENT, ARENA_SIDE, DISC, FLOOR, LARGE, NUM_HUES, STAR, WALL, draw_arena

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

Domain = Literal["all", "source", "target"]
OodLevel = Literal[0, 1]
ImageSize = Literal[32, 64]
ThingSize = Literal[1, 2]
FLOOR_SIDE = ARENA_SIDE - 2
MOST_THINGS = 8
SOURCE_HUES, OTHER_HUES = (0, 2, 4, 6), (1, 3, 5, 7)


def hue_triples(domain: Domain, ood_level: OodLevel = 0) -> np.ndarray:
    """(M, 3) hues of floor, wall and object, each triple of the domain once. ValueError for what is no domain.

    Of `target`, level 0 has the source's hues, every floor with objects that it never has there; level 1 has only hues
    that the source never has.
    """
    if domain not in ("all", "source", "target") or ood_level not in (0, 1):
        raise ValueError(
            f"domain={domain}, ood_level={ood_level}: expected domain all, source or target, ood_level 0 or 1"
        )
    if domain != "target" and ood_level != 0:
        raise ValueError(f"ood_level={ood_level} is of domain=target alone, got domain={domain}; leave it at 0")
    if domain == "all":
        return np.array(list(product(range(NUM_HUES), repeat=3)))
    hues = OTHER_HUES if ood_level == 1 else SOURCE_HUES
    triples = np.array(list(product(hues, repeat=3)))
    is_paired = triples[:, 2] == (triples[:, 0] + NUM_HUES // 2) % NUM_HUES
    if domain == "source":
        return triples[is_paired]
    return triples if ood_level == 1 else triples[~is_paired]


def _room() -> np.ndarray:
    """Cells without things, row by row."""
    room = np.full((ARENA_SIDE, ARENA_SIDE), WALL)
    room[1:-1, 1:-1] = FLOOR
    return room.reshape(-1)


_ROOM = _room()


def _places(size: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells (place, size²) of each place that something of `size` cells a side may have, those of a place row by
    row, and for each place and action the next one.
    """
    side = FLOOR_SIDE // size
    row, column = np.divmod(np.arange(side**2), side)
    down, across = np.divmod(np.arange(size**2), size)
    cells = (1 + size * row[:, None] + down) * ARENA_SIDE + 1 + size * column[:, None] + across
    moved = [(row, column + 1), (row, column - 1), (row + 1, column), (row - 1, column)]
    following = [below.clip(0, side - 1) * side + beside.clip(0, side - 1) for below, beside in moved]
    return cells, np.stack(following, axis=1).astype(np.uint8)


@final
class ToyArena(World):
    """8x8 cells, the outermost of them wall; a disc that is touched gives 1, a star -1, and either is gone then.

    Agent, `num_good` discs and `num_bad` stars start in different places, at random: there are 36, or 9 where each is
    `thing_size` 2 cells a side, and moves by as many. ValueError for more than eight things. An episode ends after
    `max_steps` alone.
    """

    actions = ("right", "left", "down", "up")

    def __init__(
        self,
        *,
        domain: Domain = "all",
        ood_level: OodLevel = 0,
        num_good: WholeNumber = 3,
        num_bad: WholeNumber = 3,
        thing_size: ThingSize = 1,
        image_size: ImageSize = 32,
        max_steps: Count = 40,
    ) -> None:
        self.triples = hue_triples(domain, ood_level).astype(np.uint8)
        if image_size not in (32, 64):
            raise ValueError(f"image_size={image_size}: expected 32 or 64")
        if not 1 <= num_good + num_bad <= MOST_THINGS or min(num_good, num_bad) < 0:
            raise ValueError(f"num_good={num_good}, num_bad={num_bad}: expected 1 to {MOST_THINGS} things")
        if thing_size not in (1, 2):
            raise ValueError(f"thing_size={thing_size}: expected 1 or 2")
        self._side = FLOOR_SIDE // thing_size
        self._cells, self._following = _places(thing_size)
        self.num_things = num_good + num_bad
        self._rewards = np.array([1.0] * num_good + [-1.0] * num_bad)
        parts = {part: [part] if thing_size == 1 else [*range(LARGE[part], LARGE[part] + 4)] for part in LARGE}
        self._shapes = np.array([parts[DISC]] * num_good + [parts[STAR]] * num_bad)
        self._agent = np.array(parts[AGENT])
        self.image_shape = (image_size, image_size, 3)
        self.max_steps = max_steps
        self.bounds = {"hues": NUM_HUES, "agent": self._side**2, "things": self._side**2}
        things = [f"good_{k}" for k in range(num_good)] + [f"bad_{k}" for k in range(num_bad)]
        hues = dict.fromkeys(("floor_hue", "wall_hue", "object_hue"), NUM_HUES)
        places = {f"{name}_{axis}": self._side for name in ("agent", *things) for axis in "xy"}
        self.factors: Mapping[str, int] = hues | places | {f"{name}_left": 2 for name in things}

    def placed(self, clock: State) -> State:
        num_places = self._side**2
        words = random_words(clock["seed"], clock["step"], clock["episode"], clock["index"], count=1 + num_places)
        hues = self.triples[below(len(self.triples), words[:, 0])]
        # random keys, the place in their last bits: their order is a random order of the places
        keys = (words[:, 1:] & ~np.uint32(63)) | np.arange(num_places, dtype=np.uint32)
        places = (np.sort(keys, axis=1)[:, : 1 + self.num_things] & 63).astype(np.uint8)
        return {
            "hues": hues,
            "agent": places[:, 0],
            "things": places[:, 1:],
            "left": np.ones(places[:, 1:].shape, bool),
        }

    def after(self, state: State, actions: np.ndarray) -> tuple[State, np.ndarray]:
        agent = self._following[state["agent"], actions]
        is_touched = state["left"] & (state["things"] == agent[:, None])
        changed = {"step": state["step"] + np.uint32(1), "agent": agent, "left": state["left"] & ~is_touched}
        return {**state, **changed}, is_touched @ self._rewards

    def draw(self, state: State) -> np.ndarray:
        rows = np.arange(len(state["agent"]))
        cells = np.repeat(_ROOM[None], len(rows), axis=0)
        shapes = np.where(state["left"][..., None], self._shapes, FLOOR)
        cells[rows[:, None, None], self._cells[state["things"]]] = shapes
        cells[rows[:, None], self._cells[state["agent"]]] = self._agent
        return draw_arena(state["hues"].astype(np.int64), cells, image_size=self.image_shape[0])

    def factor_values(self, state: State) -> np.ndarray:
        row, column = np.divmod(np.concatenate([state["agent"][:, None], state["things"]], axis=1), self._side)
        places = np.stack([column, row], axis=2).reshape(len(row), -1)
        return np.concatenate([state["hues"], places, state["left"]], axis=1).astype(np.int64)


@simulated_by(ToyArena, source={"domain": "source"}, target={"domain": "target"})
def toyarena(
    num_envs: Count = 1,
    *,
    domain: Domain = "all",
    ood_level: OodLevel = 0,
    num_good: WholeNumber = 3,
    num_bad: WholeNumber = 3,
    thing_size: ThingSize = 1,
    image_size: ImageSize = 32,
    max_steps: Count = 40,
    render_mode: str | None = None,
) -> "VectorEnv":
    """So many rooms as one environment. Raises ValueError without the extra, and for what is no domain."""
    needs_agents("environment=toyarena")
    from disent_runner.environments.gymnasium_worlds import VectorWorld

    world = ToyArena(
        domain=domain,
        ood_level=ood_level,
        num_good=num_good,
        num_bad=num_bad,
        thing_size=thing_size,
        image_size=image_size,
        max_steps=max_steps,
    )
    return VectorWorld(world, num_envs, render_mode)
