"""Checkpoints that hold tensors and plain numbers only, and that survive a kill at any moment."""

import io
import logging
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from disent_runner.models.base import AbstractModel
from disent_runner.runs import checksums, train_log
from disent_runner.runs.checkpoint_files import (
    checkpoint_path,
    checkpoint_paths,
    is_whole,
    is_written,
    newest_checkpoint,
)

log = logging.getLogger(__name__)

_KEPT = 2
_KEYS = {"step", "model", "optimizers", "random", "interval"}
_LATER_KEYS = {"schedules"}
"""Which checkpoints of before do not have."""


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> Path:
    """Write `state` under its step, whole or not at all, and keep the newest two."""
    buffer = io.BytesIO()  # a full disk then fails in one plain write, with its name and reason
    torch.save({**state, "random": random_states()}, buffer)
    path = checkpoint_path(folder, state["step"])
    name = str(path.relative_to(folder))
    checksums.write_files(folder, {name: buffer.getbuffer()}, growing=[train_log.FILE])
    remove_older(folder)
    return path


def remove_older(folder: Path) -> None:
    """All but the newest two, of which a kill may have left more."""
    for old in checkpoint_paths(folder)[_KEPT:]:
        old.unlink()


def load_newest_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest whole checkpoint, on the CPU; None when the folder has none.

    A torn or changed file falls back to the one before. Raises ValueError when none is whole, or when one is a file of
    another kind: it is never unpickled. OSError where they cannot be read.
    """
    paths = checkpoint_paths(folder)
    for path in paths:
        if is_whole(path):
            return _opened(path)
        log.warning("%s is torn; falling back to the checkpoint before it", path)
    if paths:
        raise ValueError(f"no checkpoint in {paths[0].parent} is whole; delete that folder to train from the start")
    return None


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The content of one checkpoint, tensors on the CPU. Raises ValueError when it is not one of ours, or damaged."""
    if not is_written(path):
        raise ValueError(f"{path} is damaged: it is not what was written; delete it to go on without it")
    return _opened(path)


def _opened(path: Path) -> dict[str, Any]:
    refusal = f"{path} is not a checkpoint of this program and was not opened further"
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise ValueError(f"{refusal}; delete it to go on without it")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (MemoryError, OSError):
        raise
    except Exception as error:  # whatever the loader makes of bytes that are not ours
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{refusal} ({first}); delete it to go on without it") from None
    if not isinstance(state, dict) or state.keys() - _LATER_KEYS != _KEYS:
        raise ValueError(f"{refusal}: it must hold exactly {sorted(_KEYS)}; delete it to go on without it")
    return state


def load_trained(model: AbstractModel, folder: Path, *, checkpoint: str | None = None) -> None:
    """Weights and step from `checkpoint` if it is the path of one, else from the folder's newest.

    Raises ValueError where that is damaged: numbers of the one before it would pass for those of the run's end.
    """
    if checkpoint is not None and Path(checkpoint).suffix == ".pt":
        path = Path(checkpoint)
    else:
        path = newest_checkpoint(folder)
    if path is None:
        raise FileNotFoundError(f"no checkpoint in {folder / 'checkpoints'}; add fit to stages to train first")
    if not is_whole(path):
        raise ValueError(f"{path} is damaged; type the command that trained the run, which goes on from the one before")
    restore(model, _opened(path), folder)


def restore(model: AbstractModel, state: Mapping[str, Any], folder: Path) -> None:
    """Put a checkpoint's weights and step into the model. Raises ValueError when they are of another model."""
    try:
        model.load_state_dict(state["model"])
    except RuntimeError as error:
        raise ValueError(
            f"the checkpoint in {folder / 'checkpoints'} is of another model "
            f"({' '.join(str(error).split())[:300]}); delete that folder to train from the start"
        ) from None
    model.step = state["step"]
    model.interval = [dict(values) for values in state["interval"]]


def random_states() -> dict[str, Any]:
    """States of the global generators of Python, NumPy, torch and every GPU, as tensors and plain numbers."""
    version, internal, gauss = random.getstate()
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - user code may draw from it
    return {
        "python": (version, internal, gauss),
        "numpy": (torch.from_numpy(np.asarray(keys, dtype=np.int64)), int(position), int(has_gauss), float(cached)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_states(states: Mapping[str, Any]) -> None:
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
