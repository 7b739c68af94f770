"""A data set: what it is, which factors each image shows, and the images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent_runner.datasets.images.image_store import ImageStore
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.factors import Factors, evenly_spaced


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their factors; image `i` is row `i` of `space` and, in a subset, row `rows[i]` of `images`.

    `content_hash` is the sha256 of all stored images, also in a subset of them. `rows` is None when no image is left
    out; it lies on the device of the images.
    """

    info: DatasetInfo
    space: Factors
    images: ImageStore
    content_hash: str
    rows: Int[Tensor, " image"] | None = None

    def __post_init__(self) -> None:
        num_rows = len(self.images if self.rows is None else self.rows)
        if not len(self) == self.info.num_images == num_rows:
            raise ValueError(
                f"{self.info.name}: {len(self)} factor combinations, {num_rows} images and "
                f"num_images {self.info.num_images} must be equal"
            )

    @cached_property
    def labels_hash(self) -> str:
        """Of the names and values of the factors of these images."""
        return self.space.digest()

    def __len__(self) -> int:
        return len(self.space)

    def gather(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel height width"]:
        """Images in [0, 1], float32, on the device of the images."""
        if self.rows is not None:
            indices = self.rows.index_select(0, indices.to(self.rows.device, non_blocking=True))
        return self.images.gather(indices)

    def subset(self, counts: Mapping[str, int] | None) -> "Dataset":
        """The images with `counts[name]` evenly spaced values of each named factor; the images are not copied.

        None keeps everything. ValueError as `Factors.subset`.
        """
        return self._only(*self.space.subset(counts)) if counts else self

    def take(self, indices: Int[np.ndarray, " n"]) -> "Dataset":
        """The images with these increasing indices; they are not copied."""
        return self if len(indices) == len(self) else self._only(self.space.take(indices), indices)

    def _only(self, space: Factors, parents: Int[np.ndarray, " n"]) -> "Dataset":
        rows = torch.from_numpy(parents).to(self.images.device)
        if self.rows is not None:
            rows = self.rows.index_select(0, rows)
        whole = {
            name: period for name, period in self.info.periods.items() if space.sizes[name] == self.info.factors[name]
        }
        names = {
            name: tuple(names[value] for value in evenly_spaced(space.sizes[name], len(names)))
            for name, names in self.info.value_names.items()
        }
        info = replace(self.info, factors=dict(space.sizes), num_images=len(space), periods=whole, value_names=names)
        return replace(self, info=info, space=space, rows=rows)

    def to(self, device: torch.device | str) -> "Dataset":
        """The same data set with its images on the device."""
        rows = None if self.rows is None else self.rows.to(device)
        return replace(self, images=self.images.to(device), rows=rows)
