"""codes.h5: posterior means, log variances and factor values of the evaluated images, encoded once."""

import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from disent_runner.datasets.dataset import Dataset
from disent_runner.models.base import AbstractModel
from disent_runner.representations.autoencoder import autoencoder_of
from disent_runner.representations.capsules import capsules_of
from disent_runner.representations.control import control_of
from disent_runner.representations.playing import playing_of
from disent_runner.representations.questions import questions_of
from disent_runner.representations.representation import Representation, weights_among
from disent_runner.representations.symbols import symbols_of
from disent_runner.runs import codes

_CHOICE = zlib.crc32(b"evaluation images")
_SECONDS_BETWEEN_SAVES = 5.0


def evaluated_images(num_images: int | None, available: int) -> np.ndarray:
    """Sorted indices of the images that are evaluated: the same for every run, model and seed of a data set.

    All where there are no more than `num_images`, or where that is None. Raises ValueError for fewer than two.
    """
    if num_images is not None and num_images < 2:
        raise ValueError(f"evaluation.num_images must be 2 or more (or null for all), got {num_images}")
    if num_images is None or num_images >= available:
        return np.arange(available)
    return np.sort(np.random.default_rng(_CHOICE).choice(available, num_images, replace=False))


@dataclass(frozen=True)
class Encoded:
    """The representation of the evaluated images, their indices in the data set, and the step of their model."""

    representation: Representation
    indices: np.ndarray
    step: int


def encode_once(
    model: AbstractModel,
    dataset: Dataset,
    *,
    folder: Path,
    indices: np.ndarray,
    batch_size: int,
    weights: np.ndarray | None = None,
) -> Encoded:
    """Codes of the images with these indices: read from codes.h5 when it is of this model and data, else made.

    Making them goes on where it was stopped, and holds one batch at a time. `weights`: of all images of the data set,
    where they are not equally likely.
    """
    origin = {"step": model.step, "data_hash": dataset.content_hash, "num_images": len(indices)}
    origin |= {"images": zlib.crc32(indices.tobytes()), "labels": dataset.labels_hash}
    stored = codes.read_codes(folder, origin)
    if stored is None:
        _encode_into(folder, model, dataset, indices, origin=origin, batch_size=batch_size)
        stored = codes.read_codes(folder, origin)
        assert stored is not None
    representation = Representation(
        codes=stored["mean"],
        factors=dataset.space.factors(indices),
        factor_sizes=tuple(dataset.info.factors.values()),
        logvar=stored.get("logvar"),
        factor_names=tuple(dataset.info.factors),
        periods=dataset.info.periods,
        autoencoder=autoencoder_of(model, dataset, indices) if model.has_decoder else None,
        categorical=model.categorical,
        parts=model.parts,
        weights=weights_among(weights, indices),
        symbols=symbols_of(model),
        control=control_of(model),
        playing=playing_of(model),
        capsules=capsules_of(model),
        questions=questions_of(model),
    )
    return Encoded(representation, indices, model.step)


def _encode_into(
    folder: Path,
    model: AbstractModel,
    dataset: Dataset,
    indices: np.ndarray,
    *,
    origin: Mapping[str, Any],
    batch_size: int,
) -> None:
    """Fill codes.h5 from where it ends; whole batches, so that the codes are those of an undisturbed pass."""
    origin = {**origin, "batch_size": batch_size}
    start = codes.rows_done(folder, origin)
    batches = _encoded_batches(model, dataset, indices, start=start, size=batch_size)
    if start == 0:
        row, posterior = next(batches)
        codes.begin(folder, {**origin, **_facts(dataset)}, posterior, _tables(dataset, indices))
        batches = chain([(row, posterior)], batches)
    with codes.filling(folder) as write:
        saved = time.monotonic()
        for row, posterior in batches:
            is_last = row + len(posterior["mean"]) == len(indices)
            is_saved = is_last or time.monotonic() - saved > _SECONDS_BETWEEN_SAVES
            write(row, posterior, is_saved=is_saved)
            saved = time.monotonic() if is_saved else saved
    codes.finish(folder)


def _facts(dataset: Dataset) -> dict[str, Any]:
    factors = dataset.info.factors
    return {"source": dataset.info.source, "factor_names": list(factors), "factor_sizes": list(factors.values())}


def _tables(dataset: Dataset, indices: np.ndarray) -> dict[str, np.ndarray]:
    factors = dataset.space.factors(indices)
    return {"factors": factors.astype(_smallest_type(factors)), "index": indices}


@torch.inference_mode()
def _encoded_batches(
    model: AbstractModel, dataset: Dataset, indices: np.ndarray, *, start: int, size: int
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """First row and codes (mean; logvar unless they are point codes) of batch after batch, from the row `start` on."""
    from rich.progress import TaskProgressColumn, TimeRemainingColumn

    from disent_runner.machine.bars import Bars

    model.eval()
    rows = torch.from_numpy(indices)
    with Bars(TaskProgressColumn(), TimeRemainingColumn()) as bar:
        for first in bar.track(range(start, len(indices), size), description="encode"):
            mean, logvar = model.represent(dataset, rows[first : first + size])
            if logvar is None:
                yield first, {"mean": mean.cpu().numpy()}
            else:
                both = torch.stack([mean, logvar]).cpu().numpy()  # one transfer
                yield first, dict(zip(("mean", "logvar"), both, strict=True))


def _smallest_type(values: np.ndarray) -> np.dtype:
    """The smallest whole numbers that hold them; there may be none, or -1 for unknown."""
    ends = (int(values.min(initial=0)), int(values.max(initial=0)))
    return np.result_type(*map(np.min_scalar_type, ends))
