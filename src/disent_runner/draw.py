"""Stage `draw`: the pictures of a run, each file written whole into figures/."""

import io
import logging
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from disent_runner.datasets.info import DatasetInfo
from disent_runner.figures.inputs import Animation, FigureInputs
from disent_runner.metrics.requirements import NotApplicable
from disent_runner.representation import Representation
from disent_runner.run_folder import read_json, write_json, write_whole
from disent_runner.train_log import read_train_log

log = logging.getLogger(__name__)

Draw = Callable[..., Mapping[str, Figure | Animation]]


def draw(
    represent: Callable[[], Representation],
    info: DatasetInfo,
    figures: Mapping[str, Draw],
    *,
    folder: Path,
    step: int,
    seed: int,
) -> None:
    """Make every figure that is not there yet with the same settings, from the run folder and its model.

    A figure that lacks what it shows, such as labels, is left out with the reason in the log.
    """
    index = folder / "figures" / "index.json"
    done: dict[str, Any] = read_json(index, default={})
    wanted = {name: figure for name, figure in figures.items() if done.get(name) != _making(figure, step, seed)}
    if not wanted:
        log.info("draw: done, %d figures in %s", len(figures), index.parent)
        return
    mpl.use("agg")
    rep = represent()
    inputs = FigureInputs(
        info=info,
        representation=rep,
        train_log=read_train_log(folder / "train.csv"),
        autoencoder=rep.autoencoder,
    )
    left_out: list[str] = []
    for name, figure in wanted.items():
        try:
            pictures = figure(inputs, rng=np.random.default_rng([seed, zlib.crc32(name.encode())]))
        except NotApplicable as reason:
            log.info("draw: left out: %s", reason)
            left_out.append(name)
            pictures = {}
        for stem, picture in pictures.items():
            write_picture(index.parent / stem, picture)
        done[name] = _making(figure, step, seed)
        write_json(index, done)
    drawn = [name for name in wanted if name not in left_out]
    log.info("draw: %s in %s", ", ".join(drawn) or "nothing", index.parent)


def write_picture(stem: Path, picture: Figure | Animation) -> None:
    """A figure as PNG, an animation as a GIF that repeats."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", dpi=150)
        write_whole(stem.with_suffix(".png"), buffer.getvalue())
        return
    frames = [Image.fromarray(_without_colour(frame)) for frame in picture.frames]
    duration = round(1000 / picture.frames_per_second)
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0)
    write_whole(stem.with_suffix(".gif"), buffer.getvalue())


def _without_colour(frame: np.ndarray) -> np.ndarray:
    """(H, W) of a frame whose channels are equal, which needs no palette to be found for it."""
    return frame[..., 0] if frame.ndim == 3 and (frame == frame[..., :1]).all() else frame


def _making(figure: Draw, step: int, seed: int) -> dict[str, Any]:
    settings = dict(figure.keywords) if isinstance(figure, partial) else {}
    return {"settings": settings, "step": step, "seed": seed}
