"""An agent whose episodes are written down."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from disent_runner.environments.seen import Episodes
from disent_runner.representations.playing import Playing
from disent_runner.representations.representation import Representation

RETURNS = {("source", "own"): (2.0, 4.0), ("source", "greedy"): (3.0, 3.0), ("source", "random"): (0.0, 1.0)}
RETURNS |= {("target", "own"): (1.0, 3.0), ("target", "greedy"): (0.0, 0.0), ("target", "random"): (-1.0, 1.0)}


def agent(returns: Mapping[tuple[str, str], tuple[float, ...]] = RETURNS) -> Representation:
    """Its returns, over and over, by domain and policy; the settings {hue: 1} are its target."""

    def play(where: Any, num_episodes: int, rng: np.random.Generator, **settings: Any) -> Episodes:
        name = "target" if where == {"hue": 1} else where
        found = np.resize(np.array(returns[name, settings.get("policy", "own")]), num_episodes)
        count = 3 if name == "source" else 5
        frames = tuple(np.full((num_episodes, 4, 4, 1), 10 * step, np.uint8) for step in range(count))
        return Episodes(found, np.full(num_episodes, count), frames if settings.get("keep_frames") else ())

    playing = Playing(("left", "right"), {name for name, _ in returns}, play)
    return Representation(np.zeros((2, 1)), np.zeros((2, 1), int), (1,), playing=playing)
