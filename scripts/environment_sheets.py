"""Pictures of our environments, docs/environments/*.png: `python scripts/environment_sheets.py`, a second.

Rows are first pictures of episodes, or one episode step by step with each action above what it led to.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from disent_runner.environments.icf_grid import IcfGrid
from disent_runner.environments.toyarena import ToyArena
from disent_runner.environments.world import World
from disent_runner.figures.grid import labelled_grid

DOCS = Path("docs/environments")
COLUMNS = 10
SEED = 0
NUM_COLOURS = 128
"""Of a sheet: a third of the bytes, and hardly to be told."""


def starts(world: World) -> np.ndarray:
    return world.draw(world.start(SEED, np.arange(COLUMNS), np.zeros(COLUMNS)))


def episode(world: World, actions: list[str]) -> np.ndarray:
    """The first picture, and that after each action."""
    state = world.start(SEED, np.arange(1), np.zeros(1))
    images = [world.draw(state)]
    for action in actions:
        state, _ = world.after(state, np.array([world.actions.index(action)]))
        images.append(world.draw(state))
    return np.concatenate(images)


def save(name: str, rows: dict[str, np.ndarray], columns: list[str]) -> None:
    """Images of (row, column, height, width, channel) bytes."""
    images = np.stack(list(rows.values())) / 255
    figure = labelled_grid(np.moveaxis(images, -1, 2), row_labels=list(rows), column_labels=columns)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=75)
    Image.open(drawn).convert("RGB").quantize(NUM_COLOURS).save(DOCS / f"{name}.png", optimize=True)


def main() -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    walk = ["right", "right", "toggle", "down", "down", "toggle", "left", "up", "left"]
    whole = IcfGrid(toggled_object=True, distractor=True, scale=4)
    grid = {"starts": starts(IcfGrid(scale=4)), "starts, with all": starts(whole), "an episode": episode(whole, walk)}
    save("icf_grid", grid, ["start", *walk])
    rooms = {"domain=all": starts(ToyArena(domain="all", image_size=64))}
    rooms["domain=source"] = starts(ToyArena(domain="source", image_size=64))
    for level in (0, 1):
        rooms[f"target, level {level}"] = starts(ToyArena(domain="target", ood_level=level, image_size=64))
    rooms["32 pixels"] = starts(ToyArena()).repeat(2, axis=1).repeat(2, axis=2)
    rooms["one of each, size 2"] = starts(ToyArena(num_good=1, num_bad=1, thing_size=2, image_size=64))
    script = ["left", "right", "right", "down", "down", "down", "right", "right", "up"]
    rooms["an episode"] = episode(ToyArena(image_size=64), script)
    save("toyarena", rooms, ["start", *script])


if __name__ == "__main__":
    main()
