"""Files of one's own, as people write them, and what is read of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from disent_runner.datasets.custom import card
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load

PIXELS = np.random.default_rng(0).integers(0, 256, size=(6, 3, 16, 20), dtype=np.uint8)
GREY = PIXELS[:, 0]
GRID = np.indices((2, 3)).reshape(2, -1).T


def write_npz(path: Path, arrays: Mapping[str, Any]) -> None:
    np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType]


def write_hdf5(path: Path, arrays: Mapping[str, Any]) -> None:
    with h5py.File(path, "w", track_order=True) as file:
        for name, values in arrays.items():
            array = np.asarray(values)
            file[name] = array.astype(object) if array.dtype.kind == "U" else array


Write = Callable[[Path, Mapping[str, Any]], None]
both = pytest.mark.parametrize(
    ("name", "write"), [("mine.npz", write_npz), ("mine.h5", write_hdf5)], ids=["npz", "hdf5"]
)


def opened(path: Path, data_dir: Path) -> Dataset:
    return load(card(path=str(path)), data_dir=data_dir / "data")


def pixels(dataset: Dataset) -> np.ndarray:
    return dataset.gather(torch.arange(len(dataset))).mul(255).round().byte().numpy()
