"""What actions lead to: the images before and after, of the step of a run, a function of (seed, step)."""

from typing import NamedTuple, Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import BatchSource, Draw
from disent_runner.datasets.info import DatasetInfo
from disent_runner.environments.world import Environment, State, World, world_of

HELD_OUT = 2**32
"""Worlds with this and larger seeds are never those of a run, whose seed is smaller."""


class Transitions(NamedTuple):
    """Bytes on the CPU; 255 is 1.0."""

    before: Tensor
    """(batch, channel, height, width) uint8"""
    after: Tensor
    """(batch, action, channel, height, width) uint8: what each action leads to, chance being equal"""


@runtime_checkable
class Acting(Protocol):
    """What knows where the actions of a step lead to."""

    def transitions(self, step: int) -> Transitions: ...


@final
class WorldTransitions(BatchSource):
    """Transitions from random states of a world, new in each step; rows of the data set as `source` draws them."""

    def __init__(self, world: World, source: BatchSource, *, batch_size: int, seed: int) -> None:
        self._world = world
        self._source = source
        self._batch_size = batch_size
        self._seed = seed

    def draw(self, step: int, stream: int = 0) -> Draw:
        return self._source.draw(step, stream)

    def transitions(self, step: int) -> Transitions:
        return transitions_from(self._world, random_starts(self._world, self._batch_size, seed=self._seed, step=step))


def random_starts(world: World, num_states: int, *, seed: int, step: int = 0) -> State:
    """The first states of episodes that are all the step's own."""
    return world.start(seed, np.arange(num_states), np.full(num_states, step))


def transitions_from(world: World, state: State) -> Transitions:
    before = torch.from_numpy(world.draw(state)).permute(0, 3, 1, 2)
    return Transitions(before, torch.from_numpy(world.draw_after_each(state)).permute(0, 1, 4, 2, 3))


def as_floats(images: Tensor) -> Float[Tensor, "*batch channel height width"]:
    """Bytes as models take them, from 0 to 1."""
    return images.float() / 255


def simulator_of(environment: Environment | None, info: DatasetInfo, *, model: str) -> World:
    """The world that says what each action leads to.

    ValueError, in the words of `model`'s user, without an environment, for one that is no simulator, and for data of
    images other than its own.
    """
    if environment is None:
        raise ValueError(f"model={model} needs an environment to act in; add environment=icf_grid")
    world = world_of(environment)
    if world is None:
        raise ValueError(
            f"model={model} asks what each action would lead to, and this environment is no simulator; choose "
            "environment=icf_grid or toyarena"
        )
    height, width, channels = world.image_shape
    if info.image_shape != (channels, height, width):
        seen = "x".join(map(str, info.image_shape))
        raise ValueError(
            f"model={model} learns from the environment's own images, {channels}x{height}x{width}, and those of "
            f"{info.name} are {seen}; leave dataset=…, dataset.image_size, crop and grey out"
        )
    return world
