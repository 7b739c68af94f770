"""Stage `draw`: the pictures of a run, each file written whole into figures/."""

import io
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from pytorch_lightning.loggers import Logger

from disent_runner.datasets.info import DatasetInfo
from disent_runner.figures.inputs import Animation, FigureInputs
from disent_runner.loggers.mirror import Mirror
from disent_runner.machine.randomness import random_stream
from disent_runner.machine.texts import counted, file_stem
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from disent_runner.runs import figures as pictures
from disent_runner.runs.train_log import read_train_log

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
    labels: str | None = None,
    loggers: Sequence[Logger] = (),
) -> None:
    """Make every figure that is not there yet with the same settings and labels, from the run folder and its model.

    A figure that lacks what it shows, such as labels, is left out with the reason in the log.
    """
    done = pictures.read_index(folder)
    makings = {
        name: {**_settings(figure), "step": step, "seed": seed, "labels": labels} for name, figure in figures.items()
    }
    wanted = {name: figure for name, figure in figures.items() if not _is_of(done.get(name), makings[name])}
    if not wanted:
        log.info("draw: done, %s in %s", counted(len(figures), "figure"), folder / pictures.FOLDER)
        _mirror(folder, figures, done, loggers, step)
        return
    mpl.use("agg")
    rep = represent()
    inputs = FigureInputs(
        info=info,
        representation=rep,
        train_log=read_train_log(folder),
        autoencoder=rep.autoencoder,
    )
    left_out: list[str] = []
    for name, figure in wanted.items():
        try:
            drawn = figure(inputs, rng=random_stream(seed, name))
        except NotApplicable as reason:
            log.info("draw: left out: %s", reason)
            left_out.append(name)
            drawn = {}
        files: list[str] = []
        for stem, picture in drawn.items():
            ending, content = encoded(picture)
            files.append(f"{file_stem(stem)}{ending}")
            pictures.write_picture(folder, files[-1], content)
        done[name] = {**makings[name], "pictures": files}
        pictures.write_index(folder, done)
    names = [name for name in wanted if name not in left_out]
    log.info("draw: %s in %s", ", ".join(names) or "nothing", folder / pictures.FOLDER)
    _mirror(folder, figures, done, loggers, step)


def _mirror(
    folder: Path, figures: Iterable[str], done: Mapping[str, Any], loggers: Sequence[Logger], step: int
) -> None:
    files = [pictures.picture(folder, file) for name in figures for file in done[name]["pictures"]]
    for logger in loggers:
        if isinstance(logger, Mirror):
            logger.log_pictures(files, step)


def encoded(picture: Figure | Animation) -> tuple[str, bytes]:
    """Ending and content of the file: a figure as PNG, an animation as a GIF that repeats."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", dpi=150)
        return ".png", buffer.getvalue()
    frames = [Image.fromarray(_without_colour(frame)) for frame in picture.frames]
    duration = round(1000 / picture.frames_per_second)
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0)
    return ".gif", buffer.getvalue()


def _without_colour(frame: np.ndarray) -> np.ndarray:
    """(H, W) of a frame whose channels are equal, which needs no palette to be found for it."""
    return frame[..., 0] if frame.ndim == 3 and (frame == frame[..., :1]).all() else frame


def _is_of(made: Mapping[str, Any] | None, making: Mapping[str, Any]) -> bool:
    return made is not None and {**made, **making} == made


def _settings(figure: Draw) -> dict[str, Any]:
    return {"settings": dict(figure.keywords) if isinstance(figure, partial) else {}}
