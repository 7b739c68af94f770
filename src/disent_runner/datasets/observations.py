"""What a uniformly random policy sees in an environment, episode after episode of many at once."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from disent_runner.datasets.card import Card, Contents, rendered
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.environments.world import Environment, State, World, world_of
from disent_runner.machine.ranges import Count, Seed
from disent_runner.machine.texts import file_stem

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

NUM_AT_ONCE = 64
"""Environments."""
_VERSION = 1


def card(*, environment: Environment | None, num_frames: Count, seed: Seed) -> Card:
    """The card of so many frames. The file that they are kept in is called by all that they depend on.

    ValueError without an environment, and for settings of which there is no world.
    """
    if environment is None:
        raise ValueError("dataset=observations needs an environment to look at; add environment=icf_grid or toyarena")
    world = world_of(environment)
    settings: dict[str, Any] = environment.keywords if isinstance(environment, partial) else {}
    kind = environment.func if isinstance(environment, partial) else environment
    name = f"observations_{file_stem(str(settings.get('id', kind.__name__)))}"
    made_of = [_VERSION, kind.__module__, kind.__name__, settings, num_frames, seed, NUM_AT_ONCE]
    told = json.dumps(made_of, sort_keys=True)
    see = partial(_seen_of_world, world) if world is not None else partial(_seen_of_others, environment)
    return Card(
        name=name,
        title=f"what is seen in {settings.get('id', kind.__name__)}",
        licence="MIT, as this program" if world is not None else "the environment's own",
        homepage="docs/environments.md",
        factors={} if world is None else world.factors,
        num_images=num_frames,
        image_shape=None if world is None else _channels_first(world.image_shape),
        stored_as=f"{name}_{hashlib.sha256(told.encode()).hexdigest()[:16]}",
        origins=(rendered(partial(see, num_frames, seed), version=told),),
    )


def random_states(world: World, seed: int) -> Iterator[State]:
    """One after the other of `NUM_AT_ONCE` worlds, without end; what an episode ends with is not among them."""
    rng = np.random.default_rng(seed)
    state = world.start(seed, np.arange(NUM_AT_ONCE), np.zeros(NUM_AT_ONCE))
    while True:
        yield state
        state, _ = world.after(state, rng.integers(len(world.actions), size=NUM_AT_ONCE))
        if (state["step"] >= world.max_steps).all():
            state = world.next_episode(state)


def _seen_of_world(world: World, num_frames: int, seed: int) -> Contents:
    num_steps = -(-num_frames // NUM_AT_ONCE)
    labels = np.concatenate([world.factor_values(state) for state in islice(random_states(world, seed), num_steps)])
    frames = (world.draw(state) for state in random_states(world, seed))
    factors = LabelTable(world.factors, labels[:num_frames])
    return Contents(_channels_first(world.image_shape), factors, _first(frames, num_frames))


def _seen_of_others(environment: Environment, num_frames: int, seed: int) -> Contents:
    many = environment(min(NUM_AT_ONCE, num_frames))
    height, width, channels = many.single_observation_space.shape or (0, 0, 0)
    factors = LabelTable({}, np.zeros((num_frames, 0), np.int64))
    return Contents((channels, height, width), factors, _first(_frames(many, seed), num_frames))


def _frames(many: "VectorEnv", seed: int) -> Iterator[np.ndarray]:
    many.action_space.seed(seed)
    frames, _ = many.reset(seed=seed)
    try:
        while True:
            yield frames
            frames, *_ = many.step(many.action_space.sample())
    finally:
        many.close()


def _first(blocks: Iterable[np.ndarray], num_frames: int) -> Iterator[np.ndarray]:
    """So many frames, channels first."""
    for block in blocks:
        yield block[:num_frames].transpose(0, 3, 1, 2)
        num_frames -= len(block)
        if num_frames <= 0:
            return


def _channels_first(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    return (shape[2], *shape[:2])
