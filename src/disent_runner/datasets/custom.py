"""Anyone's own images from an HDF5 or npz file, with labels of any kind or none."""

import hashlib
import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tokenize import TokenError

import h5py
import numpy as np

from disent_runner.datasets.card import Card, Contents, Origin, PublishedFile, in_blocks
from disent_runner.datasets.labels.any_labels import NUM_BINS, IndexedLabels, not_read, value_indices
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import UNKNOWN, LabelTable
from disent_runner.datasets.labels.names import factor_names
from disent_runner.datasets.readers.array_files import StoredArray, hdf5_array, npz_array, refuse_growth_of
from disent_runner.machine.ranges import Names, Text

GROUP = "factors/"
_ARRAYS = ("images", "factors", "factor_names")


def any_npz_array(path: Path, name: str) -> StoredArray:
    """As `npz_array`, but read whole where it cannot be read in pieces: transposed arrays are stored so."""
    try:
        return npz_array(path, name)
    except ValueError:
        try:
            refuse_growth_of(path, [name])
            with np.load(path, allow_pickle=False) as arrays:
                whole = arrays[name]
        except (ValueError, RuntimeError, SyntaxError, TokenError) as error:
            raise ValueError(f"{path}: {name} cannot be read ({' '.join(str(error).split())})") from error
        return StoredArray(path, name, whole.shape, whole.dtype, lambda: in_blocks(whole))


OPENERS = {".npz": any_npz_array, ".h5": hdf5_array, ".hdf5": hdf5_array}


def card(
    *,
    path: Text | None,
    content: str | None = None,
    labels: str | None = None,
    continuous: Names | None = None,
    discrete: Names | None = None,
) -> Card:
    """The card of the file's data set, which is called as the file is. `content` and `labels` tell the file from one
    that had its place before: see `file_contents`; `continuous` and `discrete` name factors: see `value_indices`.

    ValueError for no file or one of another kind, FileNotFoundError where it is not there.
    """
    if path is None:
        raise ValueError(f"dataset.path must be your file ({', '.join(OPENERS)}), got null")
    file = Path(str(path)).expanduser().resolve()
    if file.suffix not in OPENERS:
        raise ValueError(f"dataset.path must end in {', '.join(OPENERS)}, got {path}")
    if not file.is_file():
        raise FileNotFoundError(
            f"dataset.path={path}: there is no file {file}; if it was moved, dataset.path=… names its new place"
        )
    return Card(
        name=file.stem,
        title=file.name,
        licence="the file's own",
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
    return f"custom_{file.stem}_{hashlib.sha256(bytes(file) + said).hexdigest()[:8]}"


def _read(paths: Sequence[Path], *, continuous: Sequence[str] | None, discrete: Sequence[str] | None) -> Contents:
    (path,) = paths
    names = array_names(path)
    if "images" not in names:
        raise ValueError(f"{path} must hold an array `images`, got {', '.join(names) or 'nothing'}")
    images = OPENERS[path.suffix](path, "images")
    shape, is_channel_last = _image_layout(images)
    columns = _columns(path, names, images.shape[0])
    try:
        labels = value_indices(
            list(columns.values()), list(columns), num_images=images.shape[0], continuous=continuous, discrete=discrete
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Contents(
        shape,
        _factors(list(columns), labels),
        _byte_blocks(images, shape, is_channel_last),
        binned={name: NUM_BINS for name, is_binned in zip(columns, labels.are_binned, strict=True) if is_binned},
        remarks=(*labels.remarks, *not_read([name for name in names if not _is_known(name)], _ARRAYS)),
    )


def _is_known(name: str) -> bool:
    return name in _ARRAYS or name.startswith(GROUP)


def array_names(path: Path) -> list[str]:
    """Of all arrays at the top of the file, and of those in the group of factors."""
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    with h5py.File(path, "r", locking=False) as file:
        is_own = isinstance(file.get("factors", getlink=True), h5py.HardLink)  # another file would be opened
        group = file["factors"] if is_own else None
        return list(file) + ([f"{GROUP}{name}" for name in group] if isinstance(group, h5py.Group) else [])


def _image_layout(images: StoredArray) -> tuple[tuple[int, int, int], bool]:
    """(channel, height, width) of an image, and whether the file has the channels last."""
    if not (images.dtype in (np.uint8, np.bool_) or np.issubdtype(images.dtype, np.floating)):
        raise ValueError(f"{images.path}: images is {images.dtype}, expected uint8, bool or floats from 0 to 1")
    if math.prod(images.shape) > 0:
        match images.shape:
            case (_, height, width):
                return (1, height, width), False
            case (_, height, width, 1 | 3 as channels):
                return (channels, height, width), True
            case (_, 1 | 3 as channels, height, width):
                return (channels, height, width), False
    raise ValueError(
        f"{images.path}: images has shape {images.shape}, "
        f"expected (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3"
    )


def _byte_blocks(images: StoredArray, shape: tuple[int, int, int], is_channel_last: bool) -> Iterator[np.ndarray]:
    brightest = 0
    for stored in images.blocks():
        block = _as_bytes(images, stored)
        brightest = max(brightest, int(block.max()))
        yield np.moveaxis(block, -1, 1) if is_channel_last else block.reshape(-1, *shape)
    if images.dtype == np.uint8 and brightest == 1:
        raise ValueError(f"{images.path}: images are bytes of 0 and 1 only, 255 is white; save images.astype(bool)")


def _as_bytes(images: StoredArray, block: np.ndarray) -> np.ndarray:
    if block.dtype == np.uint8:
        return block
    if block.dtype == np.bool_:
        return block.astype(np.uint8) * 255
    is_wrong = ~((block >= 0) & (block <= 1))  # NaN too
    if is_wrong.any():
        raise ValueError(
            f"{images.path}: images holds {block[is_wrong][0]}, expected uint8, bool or floats from 0 to 1"
        )
    return np.floor(block.astype(np.float32) * 255 + 0.5).astype(np.uint8)


def _factors(names: Sequence[str], labels: IndexedLabels) -> Factors:
    sizes = dict(zip(names, labels.sizes, strict=True))
    return FactorSpace(sizes) if _is_grid(labels.indices, labels.sizes) else LabelTable(sizes, labels.indices)


def _is_grid(indices: np.ndarray, sizes: tuple[int, ...]) -> bool:
    """Whether each image shows the next combination, the last factor fastest."""
    num_images = len(indices)
    if not sizes or math.prod(sizes) != num_images or (indices == UNKNOWN).any():
        return False
    return np.array_equal(np.ravel_multi_index(tuple(indices.T), sizes), np.arange(num_images))


def _columns(path: Path, names: Sequence[str], num_images: int) -> Mapping[str, np.ndarray]:
    """The labels of each factor by its name, as the file has them."""
    opened = OPENERS[path.suffix]
    given = _given_names(opened(path, "factor_names")) if "factor_names" in names else None
    members = [name for name in names if name.startswith(GROUP)]
    if members:
        alone = {name.removeprefix(GROUP): _labels(opened(path, name), num_images) for name in members}
        given = _names_of(path, list(alone) if given is None else given, len(alone))
        if set(given) != set(alone):
            raise ValueError(f"{path}: factor_names are {', '.join(given)}, but factors holds {', '.join(alone)}")
        return {name: alone[name].reshape(num_images) for name in given}
    if "factors" not in names:
        return {}
    table = _labels(opened(path, "factors"), num_images, can_be_table=True).reshape(num_images, -1)
    called = [f"factor_{k}" for k in range(table.shape[1])] if given is None else given
    return dict(zip(_names_of(path, called, table.shape[1]), table.T, strict=True))


def _labels(array: StoredArray, num_images: int, *, can_be_table: bool = False) -> np.ndarray:
    is_text = h5py.check_string_dtype(array.dtype) is not None
    if not (is_text or array.dtype.kind in "biufmMSU"):
        raise ValueError(f"{array.path}: {array.name} is {array.dtype}, expected numbers or text")
    if array.shape[:1] != (num_images,) or len(array.shape) > 1 + can_be_table or 0 in array.shape:
        expected = f"({num_images},)" + (f" or ({num_images}, K)" if can_be_table else "")
        raise ValueError(f"{array.path}: {array.name} has shape {array.shape}, expected {expected} for as many images")
    labels = np.concatenate(list(array.blocks()))
    return labels.astype(np.bytes_) if is_text else labels


def _given_names(array: StoredArray) -> list[object]:
    if len(array.shape) > 1:
        raise ValueError(f"{array.path}: {array.name} has shape {array.shape}, expected one name for each factor")
    return [name for block in array.blocks() for name in block.tolist()]


def _names_of(path: Path, given: Sequence[object], num_factors: int) -> list[str]:
    try:
        return factor_names(given, num_factors)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
