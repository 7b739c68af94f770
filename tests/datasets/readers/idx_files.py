"""Small files in the layout of MNIST's."""

import gzip
from pathlib import Path

import numpy as np


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def write_idx(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_set(folder: Path, *, ending: str, num_train: int = 5, num_test: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """All four files; the images and labels in them, those for training first."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(num_train + num_test, 28, 28), dtype=np.uint8)
    labels = rng.permutation(10)[: len(images)]
    write_idx(folder / f"train-images-idx3-ubyte{ending}", images[:num_train])
    write_idx(folder / f"train-labels-idx1-ubyte{ending}", labels[:num_train])
    write_idx(folder / f"t10k-images-idx3-ubyte{ending}", images[num_train:])
    write_idx(folder / f"t10k-labels-idx1-ubyte{ending}", labels[num_train:])
    return images, labels
