"""Images of any layout and type with labels of any kind or none, in an npz or HDF5 file."""

import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tokenize import TokenError

import h5py
import numpy as np

from disent_runner.datasets.card import in_blocks
from disent_runner.datasets.labels.any_labels import not_read
from disent_runner.datasets.labels.array_names import called, told
from disent_runner.datasets.labels.names import factor_names
from disent_runner.datasets.readers.array_files import StoredArray, hdf5_array, npz_array, refuse_growth_of
from disent_runner.datasets.readers.labelled_images import LabelledImages

GROUP = "factors/"
_ARRAYS = ("images", "factors", "factor_names")
_THIN = (1, 3)
"""Lengths of an axis that is one of channels, and no side of a picture."""


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
UNREADABLE = (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile)
"""What is raised for arrays of other kinds, and for damaged ones."""


def read_arrays(path: Path) -> LabelledImages:
    """`images`, and `factors` where there are any, or what `called` takes for them. ValueError where none fit."""
    names = array_names(path)
    name = images_name(path, names)
    if name is None:
        several = told("images", names, _pictures_of(path))
        reason = several[0] if several else f"got {', '.join(names) or 'nothing'}; rename the one that holds them"
        raise ValueError(f"{path} must hold an array `images`, {reason}")
    images = OPENERS[path.suffix](path, name)
    shape, is_channel_last = _image_layout(images)
    num_images = images.shape[0]
    fits = _labels_of(path, num_images)
    alone = [name for name in names if name.startswith(GROUP)]
    table = None if alone else called("factors", names, fits)
    read = {name, table, "factor_names", *alone, *(["factors"] if alone else [])}
    return LabelledImages(
        num_images,
        shape,
        _byte_blocks(images, shape, is_channel_last),
        _columns(path, names, alone or table, num_images),
        (
            *told("images", names, _pictures_of(path)),
            *([] if alone else told("factors", names, fits)),
            *not_read([name for name in names if name not in read], _ARRAYS),
        ),
    )


def array_names(path: Path) -> list[str]:
    """Of all arrays at the top of the file, and of those in the group of factors."""
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    with h5py.File(path, "r", locking=False) as file:
        is_own = isinstance(file.get("factors", getlink=True), h5py.HardLink)  # another file would be opened
        group = file["factors"] if is_own else None
        return list(file) + ([f"{GROUP}{name}" for name in group] if isinstance(group, h5py.Group) else [])


def images_name(path: Path, names: Sequence[str]) -> str | None:
    """What the array of images is called among the file's `names`; None as `called`."""
    return called("images", names, _pictures_of(path))


def _pictures_of(path: Path) -> Callable[[str], bool]:
    """Whether an array can be images."""

    def fits(name: str) -> bool:
        try:
            return len(OPENERS[path.suffix](path, name).shape) in (3, 4)
        except UNREADABLE:
            return False

    return fits


def _labels_of(path: Path, num_images: int) -> Callable[[str], bool]:
    """Whether an array can be labels of so many images."""

    def fits(name: str) -> bool:
        try:
            _check_labels(OPENERS[path.suffix](path, name), num_images, can_be_table=True)
        except UNREADABLE:
            return False
        return True

    return fits


def _image_layout(images: StoredArray) -> tuple[tuple[int, int, int], bool]:
    """(channel, height, width) of an image, and whether the file has the channels last."""
    path, name = images.path, images.name
    if not (images.dtype in (np.uint8, np.bool_) or np.issubdtype(images.dtype, np.floating)):
        raise ValueError(f"{path}: {name} is {images.dtype}, expected uint8, bool or floats from 0 to 1")
    if math.prod(images.shape) > 0:
        match images.shape:
            case (_, _, channels) if channels in _THIN:
                raise ValueError(f"{path}: {name} has shape {images.shape}, which is one picture; save {name}[None]")
            case (3, _, _):
                raise ValueError(
                    f"{path}: {name} has shape {images.shape}, which is three grey pictures, or one in colour; "
                    f"save {name}[:, None], or {name}[None]"
                )
            case (_, height, width):
                return (1, height, width), False
            case (_, height, width, 1 | 3 as channels):
                return (channels, height, width), True
            case (_, 1 | 3 as channels, height, width):
                return (channels, height, width), False
    raise ValueError(
        f"{path}: {name} has shape {images.shape}, expected (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3"
    )


def _byte_blocks(images: StoredArray, shape: tuple[int, int, int], is_channel_last: bool) -> Iterator[np.ndarray]:
    brightest = 0
    for stored in images.blocks():
        block = _as_bytes(images, stored)
        brightest = max(brightest, int(block.max()))
        yield np.moveaxis(block, -1, 1) if is_channel_last else block.reshape(-1, *shape)
    if images.dtype == np.uint8 and brightest == 1:
        raise ValueError(
            f"{images.path}: {images.name} are bytes of 0 and 1 only, 255 is white; save {images.name}.astype(bool)"
        )


def _as_bytes(images: StoredArray, block: np.ndarray) -> np.ndarray:
    if block.dtype == np.uint8:
        return block
    if block.dtype == np.bool_:
        return block.astype(np.uint8) * 255
    is_wrong = ~((block >= 0) & (block <= 1))  # NaN too
    if is_wrong.any():
        raise ValueError(
            f"{images.path}: {images.name} holds {block[is_wrong][0]}, expected uint8, bool or floats from 0 to 1"
        )
    return np.floor(block.astype(np.float32) * 255 + 0.5).astype(np.uint8)


def _columns(
    path: Path, names: Sequence[str], factors: Sequence[str] | str | None, num_images: int
) -> Mapping[str, np.ndarray]:
    """The labels of each factor by its name, as the file has them: in an array for each, in one table, or nowhere."""
    opened = OPENERS[path.suffix]
    given = _given_names(opened(path, "factor_names")) if "factor_names" in names else None
    if factors is None:
        return {}
    if isinstance(factors, str):
        table = _labels(opened(path, factors), num_images, can_be_table=True).reshape(num_images, -1)
        numbered = [f"factor_{k}" for k in range(table.shape[1])] if given is None else given
        return dict(zip(_names_of(path, numbered, table.shape[1]), table.T, strict=True))
    alone = {name.removeprefix(GROUP): _labels(opened(path, name), num_images) for name in factors}
    given = _names_of(path, list(alone) if given is None else given, len(alone))
    if set(given) != set(alone):
        raise ValueError(f"{path}: factor_names are {', '.join(given)}, but factors holds {', '.join(alone)}")
    return {name: alone[name].reshape(num_images) for name in given}


def _labels(array: StoredArray, num_images: int, *, can_be_table: bool = False) -> np.ndarray:
    is_text = _check_labels(array, num_images, can_be_table=can_be_table)
    labels = np.concatenate(list(array.blocks()))
    return labels.astype(np.bytes_) if is_text else labels


def _check_labels(array: StoredArray, num_images: int, *, can_be_table: bool) -> bool:
    """Whether they are HDF5's texts. ValueError where they are no labels of so many images."""
    is_text = h5py.check_string_dtype(array.dtype) is not None
    if not (is_text or array.dtype.kind in "biufmMSU"):
        raise ValueError(f"{array.path}: {array.name} is {array.dtype}, expected numbers or text")
    if array.shape[:1] != (num_images,) or len(array.shape) > 1 + can_be_table or 0 in array.shape:
        expected = f"({num_images},)" + (f" or ({num_images}, K)" if can_be_table else "")
        raise ValueError(f"{array.path}: {array.name} has shape {array.shape}, expected {expected} for as many images")
    return is_text


def _given_names(array: StoredArray) -> list[object]:
    if len(array.shape) > 1:
        raise ValueError(f"{array.path}: {array.name} has shape {array.shape}, expected one name for each factor")
    return [name for block in array.blocks() for name in block.tolist()]


def _names_of(path: Path, given: Sequence[object], num_factors: int) -> list[str]:
    try:
        return factor_names(given, num_factors)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
