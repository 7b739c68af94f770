"""Images made from layers of shading when they are asked for: a few thousand arrays instead of millions of pictures."""

import math
from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent_runner.datasets.images.image_store import ByteImages, ImageStore


@final
class LayeredImages(ImageStore):
    """Sums over layers of shading (255 full) times colour, each colour one of a palette; rounded to 256 levels.

    `layers` holds a geometry as an image whose channels are its layers. `palettes` has one for each layer, (value, 3).
    Image indices count the palettes' values (the last palette faster than the first), then, fastest, the geometries.
    """

    def __init__(self, layers: ByteImages, palettes: Sequence[UInt8[np.ndarray, "_ 3"]]) -> None:
        if layers.image_shape[0] != len(palettes):
            raise ValueError(f"{layers.image_shape[0]} layers need as many palettes, got {len(palettes)}")
        self._layers = layers
        self._palettes = palettes
        self._colours = torch.from_numpy(_combinations(palettes)).to(layers.device)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return 3, *self._layers.image_shape[1:]

    def gather(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel height width"]:
        indices = indices.to(self.device, non_blocking=True)
        if self.device.type == "cpu" and not bool(((indices >= 0) & (indices < len(self))).all()):
            raise IndexError(f"image index must be 0 to {len(self) - 1}, got {indices.min()} to {indices.max()}")
        geometries, colours = indices % len(self._layers), indices // len(self._layers)
        shading = self._layers.select(geometries).float().flatten(2)  # (B, L, H·W)
        with torch.autocast(self.device.type, enabled=False):  # bfloat16 is too coarse for 256 levels
            images = torch.bmm(self._colours.index_select(0, colours), shading)
        return images.round_().div_(255).view(-1, *self.image_shape)

    def to(self, device: torch.device | str) -> "LayeredImages":
        layers = self._layers.to(device)
        return self if layers is self._layers else LayeredImages(layers, self._palettes)

    def __len__(self) -> int:
        return len(self._layers) * len(self._colours)

    @property
    def device(self) -> torch.device:
        return self._layers.device

    @property
    def nbytes(self) -> int:
        return self._layers.nbytes


def _combinations(palettes: Sequence[UInt8[np.ndarray, "_ 3"]]) -> Float[np.ndarray, "combination 3 layer"]:
    """Red, green and blue of each layer, 1 full, for all combinations of values; the last palette is the fastest."""
    sizes = [len(palette) for palette in palettes]
    values = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
    chosen = [palette[column] for palette, column in zip(palettes, values.T, strict=True)]
    return (np.stack(chosen, axis=2) / 255).astype(np.float32)
