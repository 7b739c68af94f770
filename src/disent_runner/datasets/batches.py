"""Which images the batch of a step holds: a pure function of (seed, step), so that a resumed run sees the same ones."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent_runner.datasets.dataset import Dataset

STEPS_PER_CHUNK = 256
"""Independent draws are made for this many steps at once: less than a microsecond each."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """What a source decided for one step: the rows of the data set, and what a model may know of their choice.

    What a source does not decide is None.
    """

    rows: Int[Tensor, " batch"]
    partners: Int[Tensor, " batch"] | None = None
    """For each row that of its partner, another image with some of the same factors."""
    kind: tuple[str, ...] | None = None
    """The factors that vary in the batch, where the others are those of one image."""
    symbols: Float[Tensor, "batch *operands symbol"] | None = None
    """k-hot: what is said of each image, or of an operator's two operands."""
    operators: Int[Tensor, " batch"] | None = None
    """What makes of two operands the concept that an image shows: an index into `symbols.recombinations.OPERATORS`."""

    @property
    def is_sample(self) -> bool:
        """Whether the images were drawn one by one, so that statistics of the batch are of the data."""
        return self.partners is None and self.kind is None and self.symbols is None


class BatchSource(ABC):
    """Batches of rows by step. Different streams are independent: FactorVAE's second batch is stream 1."""

    @abstractmethod
    def draw(self, step: int, stream: int = 0) -> Draw:
        """The batch, always of the full size, on the CPU, the same however often it is asked for."""


@final
class UniformBatches(BatchSource):
    """Every image equally often: epoch after epoch of permutations, or independent draws with `replacement`.

    A batch may run across the end of an epoch. ValueError if `batch_size` is below 1 or above an epoch.
    """

    def __init__(self, *, num_images: int, batch_size: int, seed: int, replacement: bool = False) -> None:
        _check_batch_size(batch_size)
        if batch_size > num_images and not replacement:
            raise ValueError(
                f"dataset.batch_size is {batch_size}, but there are {num_images} images; "
                f"set dataset.batch_size={num_images}, or dataset.replacement=true"
            )
        self._batch_size = batch_size
        if replacement:
            length = STEPS_PER_CHUNK * batch_size
            self._sequence = _IndexSequence(partial(_draw_uniform, num_images, length), length, seed)
        else:
            self._sequence = _IndexSequence(partial(_permute, num_images), num_images, seed)

    def draw(self, step: int, stream: int = 0) -> Draw:
        return Draw(self._sequence.take(start=step * self._batch_size, count=self._batch_size, stream=stream))


@final
class WeightedBatches(BatchSource):
    """Independent draws, image `i` with probability `probabilities[i]`.

    ValueError if a probability is negative or not finite, if they do not sum to 1, or are not one for each of
    `num_images`, where that is given.
    """

    def __init__(
        self, *, probabilities: Float[np.ndarray, " image"], batch_size: int, seed: int, num_images: int | None = None
    ) -> None:
        _check_batch_size(batch_size)
        _check_probabilities(probabilities, num_images)
        self._batch_size = batch_size
        length = STEPS_PER_CHUNK * batch_size
        cumulative = np.cumsum(probabilities, dtype=np.float64)
        draw = partial(_draw_weighted, cumulative / cumulative[-1], length)
        self._sequence = _IndexSequence(draw, length, seed)

    def draw(self, step: int, stream: int = 0) -> Draw:
        return Draw(self._sequence.take(start=step * self._batch_size, count=self._batch_size, stream=stream))


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """The images of one step on the training device; nothing is gathered before it is asked for, or twice."""

    step: int
    is_logged: bool
    source: BatchSource
    dataset: Dataset
    device: torch.device
    noise_seed: int | None = None
    """Where it is given, the 256 levels of a pixel are spread evenly over [0, 1) by noise of (seed, step, stream)."""

    @cached_property
    def draw(self) -> Draw:
        """The rows of the images, and all else that the source decided with them."""
        return self.source.draw(self.step)

    @cached_property
    def images(self) -> Float[Tensor, "batch channel height width"]:
        return self._gather(self.draw.rows, stream=0)

    @cached_property
    def partner_images(self) -> Float[Tensor, "batch channel height width"]:
        """For each image its partner. ValueError where the source draws none."""
        if self.draw.partners is None:
            raise ValueError(f"{type(self.source).__name__} draws images without partners")
        return self._gather(self.draw.partners, stream=1)

    @cached_property
    def second_images(self) -> Float[Tensor, "batch channel height width"]:
        """A second batch, independent of the first."""
        return self.further_images(1)

    def further_images(self, stream: int) -> Float[Tensor, "batch channel height width"]:
        """Another batch of this step for each stream from 1 on, all independent; gathered each time."""
        return self._gather(self.source.draw(self.step, stream).rows, stream=stream)

    def _gather(self, rows: Int[Tensor, " batch"], *, stream: int) -> Float[Tensor, "batch channel height width"]:
        images = self.dataset.gather(rows)
        if images.device.type == "cpu" and self.device.type == "cuda":
            images = images.pin_memory()  # lets the copy run beside the computation
        images = images.to(self.device, non_blocking=True)
        return images if self.noise_seed is None else _dequantized(images, (self.noise_seed, self.step, stream))


def _dequantized(
    images: Float[Tensor, "batch channel height width"], key: tuple[int, int, int]
) -> Float[Tensor, "batch channel height width"]:
    """Theis et al. 2016, section 3.1: the pixel v of 0 to 255 becomes (v + u) / 256 with u uniform in [0, 1)."""
    (seed,) = np.random.SeedSequence(key).generate_state(1, np.uint64).tolist()
    generator = torch.Generator(images.device).manual_seed(seed & (2**63 - 1))
    noise = torch.rand(images.shape, generator=generator, device=images.device)
    return (255 * images + noise) / 256


@final
class _IndexSequence:
    """An endless sequence of indices per stream, drawn in chunks; chunk `c` is a function of (seed, stream, c)."""

    def __init__(self, draw: Callable[[np.random.Generator], np.ndarray], length: int, seed: int) -> None:
        self._draw = draw
        self._length = length
        self._seed = seed
        self._latest: dict[int, tuple[int, Tensor]] = {}

    def take(self, *, start: int, count: int, stream: int) -> Int[Tensor, " count"]:
        chunk, offset = divmod(start, self._length)
        parts = [self._chunk(stream, chunk)[offset : offset + count]]
        missing = count - len(parts[0])
        while missing > 0:
            chunk += 1
            parts.append(self._chunk(stream, chunk)[:missing])
            missing -= len(parts[-1])
        return torch.cat(parts)  # a copy: the caller may change it

    def _chunk(self, stream: int, chunk: int) -> Tensor:
        latest = self._latest.get(stream)
        if latest is None or latest[0] != chunk:
            rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(stream, chunk)))
            latest = self._latest[stream] = chunk, torch.from_numpy(self._draw(rng))
        return latest[1]


def _permute(num_images: int, rng: np.random.Generator) -> Int[np.ndarray, " image"]:
    return rng.permutation(num_images)


def _draw_uniform(num_images: int, count: int, rng: np.random.Generator) -> Int[np.ndarray, " count"]:
    return rng.integers(num_images, size=count)


def _draw_weighted(
    cumulative: Float[np.ndarray, " image"], count: int, rng: np.random.Generator
) -> Int[np.ndarray, " count"]:
    points = rng.random(count)
    order = np.argsort(points)  # neighbouring points are found in neighbouring memory
    indices = np.empty(count, np.int64)
    indices[order] = np.searchsorted(cumulative, points[order], side="right")
    return indices


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ValueError(f"dataset.batch_size must be at least 1, got {batch_size}")


def _check_probabilities(probabilities: Float[np.ndarray, " image"], num_images: int | None) -> None:
    if probabilities.ndim != 1 or len(probabilities) == 0 or num_images not in (None, len(probabilities)):
        raise ValueError(f"expected one probability for each image, {num_images}, got shape {probabilities.shape}")
    if not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise ValueError(
            f"probabilities must be finite and not negative, got {probabilities.min()} to {probabilities.max()}"
        )
    if abs((total := probabilities.sum(dtype=np.float64)) - 1) > 1e-6:
        raise ValueError(f"probabilities must sum to 1, got {total}; divide them by their sum")
