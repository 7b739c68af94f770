"""Folders of pictures for tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_picture(path: Path, pixels: np.ndarray) -> None:
    """As the name's ending says; the folders that it lies in are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
