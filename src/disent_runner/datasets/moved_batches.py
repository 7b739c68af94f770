"""Images moved twice by what is known: a shift or an affine map of the plane for each, of the step of a run.

A map is a 3×3 matrix of the coordinates (x, y, 1) of a point, in pixels from the middle of the image; x is to the
right, y down. Positive shifts move the picture there.
"""

from typing import NamedTuple, Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from disent_runner.datasets.batches import BatchSource, Draw

MOVES = 1
"""Set apart from the streams that draw rows."""


class Moves(NamedTuple):
    """Maps of the images of a batch, each (batch, 3, 3), on the CPU."""

    seen: Tensor
    target: Tensor
    between: Tensor
    """What makes of the seen image the target."""


@runtime_checkable
class Moving(Protocol):
    """What knows how the images of a step are moved."""

    def moves(self, step: int) -> Moves: ...


@final
class MovedBatches(BatchSource):
    """Rows as `source` draws them, and two maps for each image, new in each step: a function of (seed, step)."""

    def __init__(
        self, source: BatchSource, *, batch_size: int, seed: int, max_shift: float, max_distortion: float | None
    ) -> None:
        self._source = source
        self._batch_size = batch_size
        self._seed = seed
        self._max_shift = max_shift
        self._max_distortion = max_distortion

    def draw(self, step: int, stream: int = 0) -> Draw:
        return self._source.draw(step, stream)

    def moves(self, step: int) -> Moves:
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(MOVES, step, 0)))
        return two_moves(self._batch_size, rng, max_shift=self._max_shift, max_distortion=self._max_distortion)


def two_moves(count: int, rng: np.random.Generator, *, max_shift: float, max_distortion: float | None) -> Moves:
    """Maps for `count` images; see `random_maps`."""
    seen, target = (random_maps(count, rng, max_shift=max_shift, max_distortion=max_distortion) for _ in range(2))
    maps = (seen, target, target @ np.linalg.inv(seen))
    return Moves(*(torch.from_numpy(part.astype(np.float32)) for part in maps))


def random_maps(
    count: int, rng: np.random.Generator, *, max_shift: float, max_distortion: float | None
) -> Float[np.ndarray, "count 3 3"]:
    """Shifts of up to `max_shift` whole pixels across and down, uniformly.

    With a distortion shifts are of any length up to that, and the four numbers that turn, stretch and shear are those
    of the identity, each changed by up to `max_distortion`.
    """
    maps = np.tile(np.eye(3), (count, 1, 1))
    if max_distortion is None:
        maps[:, :2, 2] = rng.integers(-int(max_shift), int(max_shift), size=(count, 2), endpoint=True)
    else:
        maps[:, :2, 2] = rng.uniform(-max_shift, max_shift, size=(count, 2))
        maps[:, :2, :2] += rng.uniform(-max_distortion, max_distortion, size=(count, 2, 2))
    return maps


def moved(
    images: Float[Tensor, "batch channel height width"], maps: Float[Tensor, "batch 3 3"], *, padding: str
) -> Float[Tensor, "batch channel height width"]:
    """The images after their maps, bilinear between pixels; what comes from outside is as `padding` says.

    padding: zeros, border or reflection, as in torch's `grid_sample`.
    """
    height, width = images.shape[2:]
    x = torch.arange(width, device=images.device) - (width - 1) / 2
    y = torch.arange(height, device=images.device) - (height - 1) / 2
    back = torch.linalg.inv(maps)[:, :2, :, None, None]  # where each pixel comes from
    # written out: a matrix product would be rounded by autocast
    source = back[:, :, 0] * x[None, :] + back[:, :, 1] * y[:, None] + back[:, :, 2]  # (batch, 2, height, width)
    grid = torch.stack([source[:, 0] * (2 / width), source[:, 1] * (2 / height)], dim=-1)
    return functional.grid_sample(images, grid, padding_mode=padding, align_corners=False)
