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
import torch
from matplotlib.figure import Figure
from PIL import Image

from disent_runner.datasets.dataset import Dataset
from disent_runner.encoding import Encoded
from disent_runner.figures.inputs import Animation, FigureInputs
from disent_runner.models.base import AbstractModel
from disent_runner.run_folder import read_json, write_json, write_whole
from disent_runner.train_log import read_train_log

log = logging.getLogger(__name__)

_DECODED_AT_ONCE = 256

Draw = Callable[..., Mapping[str, Figure | Animation]]


def draw(
    encode: Callable[[], Encoded],
    model: AbstractModel,
    dataset: Dataset,
    figures: Mapping[str, Draw],
    *,
    folder: Path,
    seed: int,
) -> None:
    """Make every figure that is not there yet with the same settings, from the run folder and its model."""
    index = folder / "figures" / "index.json"
    done: dict[str, Any] = read_json(index, default={})
    wanted = {name: figure for name, figure in figures.items() if done.get(name) != _making(figure, model, seed)}
    if not wanted:
        log.info("draw: done, %d figures in %s", len(figures), index.parent)
        return
    mpl.use("agg")
    encoded = encode()
    inputs = FigureInputs(
        info=dataset.info,
        representation=encoded.representation,
        train_log=read_train_log(folder / "train.csv"),
        image=_images_of(dataset, encoded.indices),
        decode=_decoder_of(model),
    )
    for name, figure in wanted.items():
        pictures = figure(inputs, rng=np.random.default_rng([seed, zlib.crc32(name.encode())]))
        for stem, picture in pictures.items():
            write_picture(index.parent / stem, picture)
        done[name] = _making(figure, model, seed)
        write_json(index, done)
    log.info("draw: %s in %s", ", ".join(wanted), index.parent)


def write_picture(stem: Path, picture: Figure | Animation) -> None:
    """A figure as PNG, an animation as a GIF that repeats."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", dpi=150, bbox_inches="tight")
        write_whole(stem.with_suffix(".png"), buffer.getvalue())
        return
    frames = [Image.fromarray(frame) for frame in picture.frames]
    duration = round(1000 / picture.frames_per_second)
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0)
    write_whole(stem.with_suffix(".gif"), buffer.getvalue())


def _making(figure: Draw, model: AbstractModel, seed: int) -> dict[str, Any]:
    settings = dict(figure.keywords) if isinstance(figure, partial) else {}
    return {"settings": settings, "step": model.step, "seed": seed}


def _images_of(dataset: Dataset, indices: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Rows of the representation -> their images, (N, C, H, W) in [0, 1]."""
    return lambda rows: dataset.gather(torch.from_numpy(indices[rows])).cpu().numpy()


def _decoder_of(model: AbstractModel) -> Callable[[np.ndarray], np.ndarray]:
    """Codes (N, D) -> images (N, C, H, W) in [0, 1]."""

    @torch.inference_mode()
    def decode(codes: np.ndarray) -> np.ndarray:
        model.eval()
        parts = torch.from_numpy(codes.astype(np.float32)).to(model.device).split(_DECODED_AT_ONCE)
        return torch.cat([model.decode(part) for part in parts]).cpu().numpy()

    return decode
