"""An agent at play, in its source and in its target."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from disent_runner.figures.grid import tile
from disent_runner.figures.inputs import Animation, FigureInputs
from disent_runner.machine.ranges import Count
from disent_runner.representations.playing import Where
from disent_runner.representations.requirements import require_playing


def episodes(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    num_episodes: Count,
    scale: Count,
    target: Mapping[str, Any] | None,
) -> dict[str, Animation]:
    """Episodes side by side, the source's above the target's where there is one; `scale` times as large as they are.

    Rooms are those that the returns are of. NotApplicable for a model that does not act for rewards.
    """
    playing = require_playing("episodes", inputs.representation)
    rows: list[Where] = ["source"]
    if target is not None or "target" in playing.domains:
        rows.append("target" if target is None else target)
    played = [playing.play(where, num_episodes, rng, keep_frames=True).frames for where in rows]
    length = max(map(len, played))
    padded = [(*frames, *[frames[-1]] * (length - len(frames))) for frames in played]
    return {"episodes": Animation([_picture(np.stack(moment), scale) for moment in zip(*padded, strict=True)], 8)}


def _picture(images: np.ndarray, scale: int) -> np.ndarray:
    """(row, column, height, width, channel) uint8 as one picture."""
    large = images.repeat(scale, axis=2).repeat(scale, axis=3)
    return tile(np.moveaxis(large, -1, 2) / 255)
