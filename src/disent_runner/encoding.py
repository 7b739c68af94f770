"""codes.h5: posterior means, log variances and factor values of the evaluated images, encoded once."""

import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from disent_runner.console import console
from disent_runner.datasets.dataset import Dataset
from disent_runner.models.base import AbstractModel
from disent_runner.representation import Representation
from disent_runner.run_folder import write_whole

_CHOICE = zlib.crc32(b"evaluation images")


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
    model: AbstractModel, dataset: Dataset, *, folder: Path, indices: np.ndarray, batch_size: int
) -> Encoded:
    """Codes of the images with these indices: read from codes.h5 when it is of this model and data, else made."""
    path = folder / "codes.h5"
    origin = {"step": model.step, "data_hash": dataset.content_hash, "num_images": len(indices)}
    factors = dataset.space.factors(indices)
    if not _is_from(path, origin):
        mean, logvar = encode_images(model, dataset, indices, batch_size=batch_size)
        _write(path, {"mean": mean, "logvar": logvar, "factors": factors, "index": indices}, origin, dataset)
    with h5py.File(path) as file:
        mean, logvar = np.asarray(file["mean"]), np.asarray(file["logvar"])
    sizes = tuple(dataset.info.factors.values())
    return Encoded(Representation(codes=mean, factors=factors, factor_sizes=sizes, logvar=logvar), indices, model.step)


@torch.inference_mode()
def encode_images(
    model: AbstractModel, dataset: Dataset, indices: np.ndarray, *, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and log variances, each (images, latent) float32, on the model's device in batches."""
    was_training = model.training
    model.eval()
    parts = [
        torch.stack(model.encode(dataset.gather(part).to(model.device))).cpu()
        for part in _batches(torch.from_numpy(indices), batch_size)
    ]
    model.train(was_training)
    mean, logvar = torch.cat(parts, dim=1).numpy()
    return mean, logvar


def _batches(indices: torch.Tensor, batch_size: int) -> Iterator[torch.Tensor]:
    from rich.progress import track

    parts = indices.split(batch_size)
    yield from track(parts, description="encode", console=console, disable=not console.is_terminal, transient=True)


def _is_from(path: Path, origin: Mapping[str, Any]) -> bool:
    try:
        with h5py.File(path) as file:
            return all(file.attrs.get(name) == value for name, value in origin.items())
    except OSError:  # missing, or damaged: made again
        return False


def _write(path: Path, arrays: Mapping[str, np.ndarray], origin: Mapping[str, Any], dataset: Dataset) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
        file.attrs.update({**origin, "source": dataset.info.source, "factor_names": list(dataset.info.factors)})
        file.attrs["factor_sizes"] = list(dataset.info.factors.values())
    write_whole(path, buffer.getvalue())
