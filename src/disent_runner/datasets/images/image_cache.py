"""Images in one HDF5 file that every process maps into its memory: written once, checked at every opening."""

import hashlib
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from disent_runner.machine.digests import is_as_noted
from disent_runner.machine.files import appearing, require_room
from disent_runner.machine.turns import in_turn

FORMAT = "disent-runner images"
VERSION = 2
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
LIBVER = ("v110", "v110")
"""The oldest HDF5 format whose metadata has checksums: a damaged file is told, not followed."""

_FINISHED = {"version": VERSION, "complete": True}
_BYTES_AT_ONCE = 2**24

logger = logging.getLogger("disent_runner")


@dataclass(frozen=True, eq=False)
class NewImages:
    """What a cache file is to hold: the blocks follow each other along the first axis and are `shape` in all.

    `facts` are small values and `tables` arrays that are kept beside the images.
    """

    shape: tuple[int, ...]
    blocks: Iterable[np.ndarray]
    facts: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CachedImages:
    """All images as a read-only memory map, the sha256 of their bytes, and what was kept beside them."""

    data: np.ndarray
    sha256: str
    facts: Mapping[str, object]
    tables: Mapping[str, np.ndarray]


class BrokenCacheError(ValueError):
    """The file is one of ours, but cannot be used; making it again loses nothing."""


def open_or_write(path: Path, *, attributes: Mapping[str, object], make: Callable[[], NewImages]) -> CachedImages:
    """The images of a cache file, written from `make()` (called only then) if it is missing or unusable.

    `attributes` tell what the file must hold; `sha256` among them is checked when it is written. Safe from several
    processes: one writes, the others wait. ValueError if the file is not ours or the blocks are wrong, OSError if it
    cannot be written.
    """
    with _explained(path):
        try:
            return open_cache(path, attributes=attributes)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
        except BrokenCacheError as error:
            logger.warning("%s; making it again", error)
    with in_turn(path), _explained(path):
        try:
            return open_cache(path, attributes=attributes)
        except (FileNotFoundError, BrokenCacheError):
            write_cache(path, attributes=attributes, new=make())
        return open_cache(path, attributes=attributes)


def open_cache(path: Path, *, attributes: Mapping[str, object]) -> CachedImages:
    """The images of a finished cache file with exactly these attributes, all of its bytes checked where the file was
    touched since they last were: half a second a gigabyte.

    FileNotFoundError, BrokenCacheError, or ValueError where the file is not one of ours at all.
    """
    _check_signature(path)
    try:
        with h5py.File(path, "r", locking=False) as file:  # never changed once it has its name
            _check_attributes(path, file, attributes)
            shape, offset = _find_images(path, file)
            facts, digest = dict(file.attrs), str(file.attrs["sha256"])
            tables = {name: np.asarray(table) for name, table in file.items() if name != "images"}
    except (OSError, RuntimeError, KeyError) as error:
        raise BrokenCacheError(f"{path} is damaged ({error})") from error
    data = np.memmap(path, np.uint8, mode="r", offset=offset, shape=shape)
    cached = CachedImages(data, digest, facts, tables)
    if not is_as_noted(path, _note(path), lambda: damage(cached) is None):
        raise BrokenCacheError(f"{path} is damaged: its bytes are not those that were written")
    return cached


def write_cache(path: Path, *, attributes: Mapping[str, object], new: NewImages) -> None:
    """Writes everything under a temporary name and then renames the file.

    ValueError if the blocks are not `new.shape` in all or their sha256 is not the one in `attributes`.
    """
    require_room(path.parent, math.prod(new.shape))
    with appearing(path) as partial:
        offset = _allocate(partial, new.shape)
        digest = _write_blocks(partial, offset=offset, shape=new.shape, blocks=new.blocks)
        if (expected := attributes.get("sha256", digest)) != digest:
            raise ValueError(f"the images for {path} have sha256 {digest}, expected {expected}")
        with h5py.File(partial, "r+", libver=LIBVER) as file:
            for name, table in new.tables.items():
                # with a checksum, but for nothing at all, which cannot have one
                file.create_dataset(name, data=table, fletcher32=table.size > 0 or None)
            file.attrs.update({"format": FORMAT, "sha256": digest, **new.facts, **attributes, **_FINISHED})
        _note(path).unlink(missing_ok=True)  # of the file that had this name before


def damage(cached: CachedImages) -> str | None:
    """What is wrong with the images' bytes, all of which are read: None when their sha256 is the one written."""
    digest = hashlib.sha256()
    rows = max(1, _BYTES_AT_ONCE // math.prod(cached.data.shape[1:]))
    for start in range(0, len(cached.data), rows):
        digest.update(cached.data[start : start + rows].data)
    seen = digest.hexdigest()
    return None if seen == cached.sha256 else f"its images have sha256 {seen}, written were {cached.sha256}"


def _note(path: Path) -> Path:
    """Where the hash of the whole file is kept."""
    return path.with_name(f".{path.name}.sha256")


def _allocate(path: Path, shape: tuple[int, ...]) -> int:
    """Position of the images in a new file with room for them. Plain writes then fail plainly on a full disk."""
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    with h5py.File(path, "w", libver=LIBVER, alignment_interval=4096) as file:
        return file.create_dataset("images", shape, np.uint8, dcpl=layout).id.get_offset()


def _write_blocks(path: Path, *, offset: int, shape: tuple[int, ...], blocks: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    num_images = 0
    with path.open("r+b") as file:
        file.seek(offset)
        for block in blocks:
            num_images += len(block)
            if block.shape[1:] != shape[1:] or block.dtype != np.uint8 or num_images > shape[0]:
                raise ValueError(f"{num_images} images to {block.shape}, {block.dtype}; expected uint8 {shape}")
            contiguous = np.ascontiguousarray(block)
            digest.update(contiguous.data)
            file.write(contiguous.data)
        file.flush()
    if num_images != shape[0]:
        raise ValueError(f"only {num_images} images were made, expected {shape[0]}")
    return digest.hexdigest()


def _check_signature(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(HDF5_SIGNATURE))
    if not HDF5_SIGNATURE.startswith(start):
        raise ValueError(f"{path} is not an HDF5 file; move it away, its name is needed for the images")
    if start != HDF5_SIGNATURE:
        raise BrokenCacheError(f"{path} has only {len(start)} bytes")


def _check_attributes(path: Path, file: h5py.File, attributes: Mapping[str, object]) -> None:
    if file.attrs.get("format") != FORMAT:
        raise ValueError(f"{path} was not written by disent-runner; move it away, its name is needed for the images")
    for name, expected in {**_FINISHED, **attributes}.items():
        seen = file.attrs.get(name)
        if not np.array_equal(np.asarray(seen, object), np.asarray(expected, object)):
            raise BrokenCacheError(f"{path} has {name} {seen}, expected {expected}")


def _find_images(path: Path, file: h5py.File) -> tuple[tuple[int, ...], int]:
    """Shape of the images, and their position in the file."""
    images = file["images"]
    if not isinstance(images, h5py.Dataset) or images.dtype != np.uint8:
        raise BrokenCacheError(f"{path} holds {images}, expected uint8 images")
    offset = images.id.get_offset()
    if offset is None or path.stat().st_size < offset + images.nbytes:
        raise BrokenCacheError(f"{path} does not hold its images in one piece")
    return images.shape, offset


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = " ".join(str(error.strerror or error).split())  # HDF5 breaks lines
        raise OSError(f"cannot read or write {path}: {reason}; make room there or choose another data_dir") from error
