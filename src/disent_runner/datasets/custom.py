"""Anyone's own images: an HDF5 or npz file, or a folder of pictures, with labels of any kind or none."""

import hashlib
import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from disent_runner.datasets.card import Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.any_labels import NUM_BINS, IndexedLabels, value_indices
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN, LabelTable
from disent_runner.datasets.readers.labelled_arrays import OPENERS, read_arrays
from disent_runner.datasets.readers.picture_folder import read_folder
from disent_runner.machine.ranges import Names, Text


def card(
    *,
    path: Text | None,
    content: str | None = None,
    labels: str | None = None,
    continuous: Names | None = None,
    discrete: Names | None = None,
) -> Card:
    """The card of a file's or folder's data set, which is called as that is. `content` and `labels` tell it from one
    that had its place before: see `file_contents`; `continuous` and `discrete` name factors: see `value_indices`.

    ValueError for no file or one of another kind, FileNotFoundError where it is not there.
    """
    if path is None:
        raise ValueError(f"dataset.path must be your file ({', '.join(OPENERS)}) or a folder of pictures, got null")
    file = Path(str(path)).expanduser().resolve()
    is_folder = file.is_dir()
    if not is_folder and file.exists() and file.suffix not in OPENERS:
        raise ValueError(f"dataset.path must end in {', '.join(OPENERS)}, or be a folder of pictures, got {path}")
    if not is_folder and not file.is_file():
        raise FileNotFoundError(
            f"dataset.path={path}: there is no file or folder {file}; "
            f"if it was moved, dataset.path=… names its new place"
        )
    return Card(
        name=_called(file),
        title=file.name,
        licence=f"the {'folder' if is_folder else 'file'}'s own",
        homepage="docs/datasets",
        stored_as=stored_name(file, continuous, discrete),
        origins=(
            Origin(
                "file",
                partial(_read, continuous=continuous, discrete=discrete),
                files=(PublishedFile(str(file)),),
                version=f"{content} {labels}",
            ),
        ),
    )


def stored_name(file: Path, *named: Sequence[str] | None) -> str:
    """What the converted images of the file are called, with labels of which this is said; others may have its name."""
    said = json.dumps(named).encode() if any(named) else b""
    return f"custom_{_called(file)}_{hashlib.sha256(bytes(file) + said).hexdigest()[:8]}"


def _called(file: Path) -> str:
    return file.name if file.is_dir() else file.stem


def _read(paths: Sequence[Path], *, continuous: Sequence[str] | None, discrete: Sequence[str] | None) -> Contents:
    (path,) = paths
    found = read_folder(path) if path.is_dir() else read_arrays(path)
    names = list(found.labels)
    try:
        labels = value_indices(
            list(found.labels.values()), names, num_images=found.num_images, continuous=continuous, discrete=discrete
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Contents(
        found.image_shape,
        _factors(names, labels),
        found.blocks,
        binned={name: NUM_BINS for name, is_binned in zip(names, labels.are_binned, strict=True) if is_binned},
        remarks=(*labels.remarks, *found.remarks),
        other_sizes=found.other_sizes,
    )


def _factors(names: Sequence[str], labels: IndexedLabels) -> Factors:
    sizes = dict(zip(names, labels.sizes, strict=True))
    return FactorSpace(sizes) if _is_grid(labels.indices, labels.sizes) else LabelTable(sizes, labels.indices)


def _is_grid(indices: np.ndarray, sizes: tuple[int, ...]) -> bool:
    """Whether each image shows the next combination, the last factor fastest."""
    num_images = len(indices)
    if not sizes or math.prod(sizes) != num_images or (indices == UNKNOWN).any():
        return False
    return np.array_equal(np.ravel_multi_index(tuple(indices.T), sizes), np.arange(num_images))
