"""codes.h5: posterior means, log variances and factor values of the evaluated images, encoded once."""

import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from disent_runner.console import console
from disent_runner.datasets.dataset import Dataset
from disent_runner.decoding import autoencoder_of
from disent_runner.models.base import AbstractModel
from disent_runner.representation import Representation, weights_among

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
    path = folder / "codes.h5"
    origin = {"step": model.step, "data_hash": dataset.content_hash, "num_images": len(indices)}
    origin["images"] = zlib.crc32(indices.tobytes())
    if not _is_from(path, origin):
        unfinished = folder / ".codes.h5.partial"
        _encode_to(unfinished, model, dataset, indices, origin=origin, batch_size=batch_size)
        unfinished.replace(path)
    with h5py.File(path) as file:
        mean, logvar = np.asarray(file["mean"]), np.asarray(file["logvar"]) if "logvar" in file else None
    representation = Representation(
        codes=mean,
        factors=dataset.space.factors(indices),
        factor_sizes=tuple(dataset.info.factors.values()),
        logvar=logvar,
        factor_names=tuple(dataset.info.factors),
        periods=dataset.info.periods,
        autoencoder=autoencoder_of(model, dataset, indices) if model.has_decoder else None,
        categorical=model.categorical,
        weights=weights_among(weights, indices),
    )
    return Encoded(representation, indices, model.step)


def _encode_to(
    path: Path,
    model: AbstractModel,
    dataset: Dataset,
    indices: np.ndarray,
    *,
    origin: Mapping[str, Any],
    batch_size: int,
) -> None:
    """Fill the file from where it ends; whole batches, so that the codes are those of an undisturbed pass."""
    origin = {**origin, "batch_size": batch_size}
    start = _rows_done(path, origin)
    batches = _encoded_batches(model, dataset, indices, start=start, size=batch_size)
    if start == 0:
        first, posterior = next(batches)
        _create(path, dataset, indices, origin, list(posterior), latent_dim=posterior["mean"].shape[1])
        batches = chain([(first, posterior)], batches)
    with h5py.File(path, "r+") as file:
        codes: dict[str, Any] = dict(file)
        saved = time.monotonic()
        for first, posterior in batches:
            last = first + len(posterior["mean"])
            for name, values in posterior.items():
                codes[name][first:last] = values
            if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES or last == len(indices):
                _to_disk(file)  # the codes before the count that vouches for them
                codes["done"][0] = last
                _to_disk(file)
                saved = time.monotonic()


def _rows_done(path: Path, origin: Mapping[str, Any]) -> int:
    """Rows that an earlier pass left; 0 without one, or where it was of other codes."""
    if not _is_from(path, origin):
        return 0
    with h5py.File(path) as file:
        return int(np.asarray(file["done"])[0])


@torch.inference_mode()
def _encoded_batches(
    model: AbstractModel, dataset: Dataset, indices: np.ndarray, *, start: int, size: int
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """First row and codes (mean; logvar unless they are point codes) of batch after batch, from the row `start` on."""
    from rich.progress import track

    model.eval()
    rows = torch.from_numpy(indices)
    batches = track(
        range(start, len(indices), size),
        description="encode",
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    for first in batches:
        mean, logvar = model.represent(dataset, rows[first : first + size])
        if logvar is None:
            yield first, {"mean": mean.cpu().numpy()}
        else:
            both = torch.stack([mean, logvar]).cpu().numpy()  # one transfer
            yield first, dict(zip(("mean", "logvar"), both, strict=True))


def _is_from(path: Path, origin: Mapping[str, Any]) -> bool:
    try:
        with h5py.File(path) as file:
            return all(file.attrs.get(name) == value for name, value in origin.items())
    except OSError:  # missing, or damaged: made again
        return False


def _create(
    path: Path, dataset: Dataset, indices: np.ndarray, origin: Mapping[str, Any], names: list[str], *, latent_dim: int
) -> None:
    """The file with its full size, so that nothing but numbers changes in it later: a kill leaves it readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    factors = dataset.space.factors(indices)
    with h5py.File(path, "w") as file:
        for name in names:
            file.create_dataset(name, data=np.zeros((len(indices), latent_dim), dtype=np.float32))
        file.create_dataset("factors", data=factors.astype(_smallest_type(factors)))
        file.create_dataset("index", data=indices)
        file.create_dataset("done", data=np.zeros(1, dtype=np.int64))
        file.attrs.update({**origin, "source": dataset.info.source, "factor_names": list(dataset.info.factors)})
        file.attrs["factor_sizes"] = list(dataset.info.factors.values())
        _to_disk(file)


def _smallest_type(values: np.ndarray) -> np.dtype:
    """The smallest whole numbers that hold them; there may be none, or -1 for unknown."""
    ends = (int(values.min(initial=0)), int(values.max(initial=0)))
    return np.result_type(*map(np.min_scalar_type, ends))


def _to_disk(file: h5py.File) -> None:
    file.flush()
    os.fsync(file.id.get_vfd_handle())
