"""What a data set is and where its images come from; nothing here opens an image."""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.layout import Layout

if TYPE_CHECKING:
    from disent_runner.datasets.images.image_store import ImageStore

RENDERED, OFFICIAL = "rendered", "official"


@dataclass(frozen=True)
class PublishedFile:
    """A file, or a folder of files, by the name under which it is published; an absolute path is that very file.

    `digest` is its published hash as "md5:…" or "sha256:…", where there is one; `url` where it may be had;
    `other_names` are those under which others pass on the same bytes.
    """

    name: str
    digest: str | None = None
    url: str | None = None
    other_names: tuple[str, ...] = ()

    def among(self, places: Sequence[Path]) -> Path | None:
        """Where it lies in one of these folders, by any of its names; a file rather than a folder of that name."""
        there = [path for place in places for name in (self.name, *self.other_names) if (path := place / name).exists()]
        return next((path for path in there if path.is_file()), there[0] if there else None)

    def check(self, path: Path) -> None:
        """ValueError where the file's hash is not the published one."""
        if self.digest is None or path.is_dir():
            return
        algorithm, _, expected = self.digest.partition(":")
        with path.open("rb") as file:
            seen = hashlib.file_digest(file, partial(hashlib.new, algorithm, usedforsecurity=False)).hexdigest()
        if seen != expected:
            raise ValueError(
                f"{path} ({path.stat().st_size} bytes) has {algorithm} {seen}, expected {expected}; "
                f"download it again, or set dataset.check_hash=false if you know the file"
            )


@dataclass(frozen=True, eq=False)
class Contents:
    """All images as an origin gives them, in blocks (n, C, H, W) of bytes; 255 is 1.0.

    Where `is_packed`, blocks are (n, C·H·W/8): one bit a pixel as `np.packbits` leaves them. Image `i` is row `i` of
    `factors`, unless there are `num_rows` of them and the origin's `show` makes the images from those.
    """

    image_shape: tuple[int, int, int]
    factors: Factors
    blocks: Iterable[np.ndarray]
    is_packed: bool = False
    num_rows: int | None = None
    binned: Mapping[str, int] | None = None
    """continuous factor -> number of bins that its labels were put into; None for labels that need no conversion"""
    remarks: tuple[str, ...] = ()
    """on the labels, said whenever the data set is opened"""
    other_sizes: frozenset[tuple[int, int]] = frozenset()
    """(height, width) of images of another size than `image_shape`: a block is of one size, not all blocks are"""


@dataclass(frozen=True, eq=False)
class Origin:
    """One way to a data set's images: published files, an installed package, or a renderer that needs no file.

    `read(paths)` gets the paths of `files` in their order. Files are looked for in the data folder's subfolder of the
    data set's name, or that of the set that they are `published_by`, in the data folder itself unless
    `only_in_subfolder` (for names that another data set's files have too), in `folder`, and in `package`, a folder of
    an installed package as "package/sub/folder". `hint` says how to get them where there is no url. Raise `version`
    when `read` comes to give other images. `sha256` is that of the untransformed images, where it is known. `show`
    makes the images of what is stored, on the fly; `shown_as` says in a few words how, as a part of what the content
    hash is made from: other words when `show` comes to give other images.
    """

    source: str
    read: Callable[[Sequence[Path]], Contents]
    files: tuple[PublishedFile, ...] = ()
    published_by: str | None = None
    only_in_subfolder: bool = False
    folder: str | None = None
    package: str | None = None
    hint: str | None = None
    version: int | str = 1
    sha256: str | None = None
    show: "Callable[[ImageStore], ImageStore] | None" = None
    shown_as: str = ""

    def places(self, data_dir: Path, name: str) -> list[Path]:
        """Where its files may lie."""
        subfolder = data_dir / (self.published_by or name)
        places = [subfolder] if self.only_in_subfolder else [subfolder, data_dir]
        if self.folder is not None:
            places.append(Path(self.folder))
        if self.package is not None:
            top, _, below = self.package.partition("/")
            spec = find_spec(top)
            places += [Path(place) / below for place in (spec and spec.submodule_search_locations) or ()]
        return places

    def find(self, data_dir: Path, name: str) -> list[Path | None]:
        """The path of each file, None where it is not there."""
        places = self.places(data_dir, name)
        return [file.among(places) for file in self.files]

    def missing(self, data_dir: Path, name: str) -> list[PublishedFile]:
        """The files that are not there."""
        paths = self.find(data_dir, name)
        return [file for file, path in zip(self.files, paths, strict=True) if path is None]


@dataclass(frozen=True, eq=False)
class Card:
    """The facts of a data set; `origins` in order of preference.

    `factors` maps each to its number of values; it is empty where only the images tell (or where there are none), as
    `num_images` and `image_shape` are then None. `stored_as` names the cache files, where another card shares them.
    """

    name: str
    title: str
    licence: str
    homepage: str
    origins: tuple[Origin, ...]
    factors: Mapping[str, int] = field(default_factory=dict)
    num_images: int | None = None
    image_shape: tuple[int, int, int] | None = None
    periods: Mapping[str, int] = field(default_factory=dict)
    """cyclic factor -> after how many steps of its value the image is the same again"""
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """factor -> what each of its values is called, where they have names"""
    stored_as: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """source -> the name that the images of this source go by, where it is not the data set's: a stand-in's"""
    layout: Layout | None = None
    """of the published file, where exports are to look like it"""

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(origin.source for origin in self.origins))

    def name_from(self, origin: Origin) -> str:
        return self.names.get(origin.source, self.name)

    def choose(self, data_dir: Path, source: str) -> Origin:
        """The first origin of this source (any, for auto) whose files are there.

        ValueError for another source, FileNotFoundError that says what to put where.
        """
        if source not in ("auto", *self.sources):
            raise ValueError(f"dataset.source must be {', '.join(self.sources)} or auto, got {source!r}")
        wanted = [origin for origin in self.origins if source in ("auto", origin.source)]
        for origin in wanted:
            if None not in origin.find(data_dir, self.name):
                return origin
        raise FileNotFoundError(self.what_is_missing(data_dir, wanted))

    def what_is_missing(self, data_dir: Path, origins: Sequence[Origin]) -> str:
        """One sentence: which files, where to put them, and how to get them."""
        missing = [origin.missing(data_dir, self.name) for origin in origins]
        ways = [" and ".join(file.name for file in files) for files in missing]
        advice = [f"put {' or '.join(dict.fromkeys(ways))} there"]
        if any(file.url for files in missing for file in files):
            advice.append(f"run `disent-data prepare {self.name}`")
        advice += dict.fromkeys(origin.hint for origin in origins if origin.hint)
        if RENDERED in self.sources:
            advice.append("use dataset.source=rendered")
        choice = f"{', '.join(advice[:-1])}, or {advice[-1]}" if len(advice) > 1 else advice[0]
        folders = [] if all(origin.only_in_subfolder for origin in origins) else [data_dir]
        return f"no file of {self.title} in {' or '.join(map(str, [*folders, data_dir / self.name]))}; {choice}"


def file_name(card: Card, origin: Origin, transform: Transform) -> str:
    """Where converted images lie in the data folder; every transform has a file of its own."""
    parts = [card.stored_as or card.name, origin.source]
    parts += [f"crop{transform.crop}"] if transform.crop else []
    parts += ["grey"] if transform.grey and origin.show is None else []  # what is shown becomes grey after that
    parts += [str(transform.image_size)] if transform.image_size else []
    return f"{'_'.join(parts)}.h5"


def identity(origin: Origin, paths: Sequence[Path]) -> list[str]:
    """What tells the files of an origin from changed ones without reading them."""
    return [_identity(file, path) for file, path in zip(origin.files, paths, strict=True)]


def _identity(file: PublishedFile, path: Path) -> str:
    status = path.stat()
    size = sum(1 for _ in path.iterdir()) if path.is_dir() else status.st_size
    return f"{file.name} {size} {status.st_mtime_ns} {file.digest}"


@contextmanager
def readers_errors(what: str) -> Iterator[None]:
    """What an origin's `read` raises as one line that names the files."""
    try:
        yield
    except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, tarfile.TarError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{what} cannot be read ({reason}); download it again") from error


def rendered(render: Callable[[], Contents], **origin: Any) -> Origin:
    """An origin that needs no file."""
    return Origin(RENDERED, lambda paths: render(), **origin)


def in_blocks(images: np.ndarray, size: int = 1024) -> Iterator[np.ndarray]:
    """The array a block at a time, along its first axis."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
