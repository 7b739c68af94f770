"""A folder of pictures, with labels in a table beside them or by the folders that they lie in.

Nothing else in the folder is opened, links are not followed, and pictures are decoded by Pillow alone.
"""

import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from disent_runner.datasets.labels.names import factor_names
from disent_runner.datasets.readers.archives import MAX_MEMBERS, open_archive
from disent_runner.datasets.readers.image_files import decoded_by_size, kinds_of
from disent_runner.datasets.readers.labelled_images import LabelledImages
from disent_runner.machine.files import read_whole

ENDINGS = (".png", ".jpg", ".jpeg", ".pgm", ".ppm")
TABLE = ".csv"
CLASS = "class"
"""The factor of pictures that lie in folders of their own."""
_NOT_ENTERED = (".", "__MACOSX")
"""How names begin that systems and their archivers leave behind."""


@dataclass(frozen=True)
class Listing:
    """Files below a folder, each by its path from there, in an order that is the same everywhere.

    `touched` changes whenever one of the pictures or tables does; `passed_over` are files of other kinds, and links.
    """

    pictures: list[str]
    tables: list[str]
    passed_over: list[str]
    touched: str


def listed(folder: Path) -> Listing:
    """What is in the folder. ValueError where there is more than anyone means."""
    pictures, tables, passed_over, facts = [], [], [], []
    for entry in _entries(str(folder)):
        name = Path(entry.path).relative_to(folder).as_posix()
        ending = PurePosixPath(name).suffix.lower()
        is_table = ending == TABLE and "/" not in name
        if entry.is_file(follow_symlinks=False) and (ending in ENDINGS or is_table):
            (tables if is_table else pictures).append(name)
            status = entry.stat(follow_symlinks=False)
            facts.append((name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
        else:
            passed_over.append(name)
        if len(pictures) + len(passed_over) > MAX_MEMBERS:
            raise ValueError(f"{folder} has more than {MAX_MEMBERS:,} files; name a folder of pictures alone")
    digest = hashlib.sha256(repr(sorted(facts)).encode(errors="surrogateescape"))
    pictures, tables, passed_over = (sorted(names, key=os.fsencode) for names in (pictures, tables, passed_over))
    return Listing(pictures, tables, passed_over, digest.hexdigest())


def read_folder(folder: Path) -> LabelledImages:
    """All pictures below the folder, sorted by their paths.

    Factors are the columns of the one csv in the folder, whose first names the pictures; without one the folder that
    each picture lies in is its class, where there are several. ValueError where there is no picture, one cannot be
    read, or the table does not fit.
    """
    listing = listed(folder)
    if not listing.pictures:
        raise ValueError(f"{folder} holds no picture ({', '.join(ENDINGS)})")
    labels, remarks = _labels(folder, listing)
    with open_archive(folder) as archive:
        channels, sizes = kinds_of(archive, listing.pictures)
    (height, width), *_ = sizes
    return LabelledImages(
        len(listing.pictures),
        (channels, height, width),
        decoded_by_size(archive, listing.pictures, [(channels, *size) for size in sizes]),
        labels,
        (*remarks, *_remarks(listing.passed_over)),
        frozenset(sizes) - {(height, width)},
    )


def folder_digests(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What the folder is known by: `content` and then the bytes of a picture, `labels` and then those of a label."""
    listing = listed(folder)
    for name in listing.pictures:
        with (folder / name).open("rb") as file:
            yield "content", hashlib.file_digest(file, "sha256").digest()
    for name in listing.tables:
        yield "labels", read_whole(folder / name)
    # a table finds its pictures by their names; without one the folders in them are the labels
    yield "labels", "\0".join(listing.pictures).encode(errors="surrogateescape")


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """All files and links below a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_NOT_ENTERED):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path)
            else:
                yield entry


def _remarks(passed_over: Sequence[str]) -> Iterator[str]:
    if passed_over:
        yield f"not read: {len(passed_over)} links or files that are no picture, such as {passed_over[0]}"


def _labels(folder: Path, listing: Listing) -> tuple[Mapping[str, np.ndarray], list[str]]:
    """The labels of every picture by factor, and a remark on rows of the table that are of none."""
    if len(listing.tables) > 1:
        raise ValueError(f"{folder} has {' and '.join(listing.tables)}; keep the one with the labels")
    if listing.tables:
        return _of_table(folder / listing.tables[0], listing.pictures)
    classes = [name.partition("/")[0] if "/" in name else "" for name in listing.pictures]
    return ({CLASS: np.array(classes)} if len(set(classes)) > 1 else {}), []


def _of_table(path: Path, pictures: Sequence[str]) -> tuple[Mapping[str, np.ndarray], list[str]]:
    head, *rows = _rows(path)
    places = _places(pictures)
    if "." in head[0] and _named(head[0]) in places:
        raise ValueError(
            f"{path}: its first line is about a picture, {head[0]}, but has to name the columns, such as file,"
            f"{','.join(f'factor{number}' for number in range(1, len(head)))}; put such a line above it"
        )
    try:
        names = factor_names(head[1:], len(head) - 1)
    except ValueError as error:
        raise ValueError(f"{path}: {error}, in its first line") from None
    labels, num_strange = np.full((len(pictures), len(names)), "", object), 0
    seen: set[int] = set()
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            raise ValueError(f"{path}: row {number} has {len(row)} values, expected {len(head)} as the first")
        place = places.get(_named(row[0]))
        if place in seen:
            raise ValueError(f"{path}: row {number} is about {row[0]}, which an earlier one is about; keep one of them")
        if place is None:
            num_strange += 1
        else:
            seen.add(place)
            labels[place] = row[1:]
    if not seen:
        first = rows[0][0] if rows else "nothing"
        raise ValueError(
            f"{path} names no picture that is here: its first column has {first!r}, expected such as {pictures[0]}"
        )
    remarks = [f"{num_strange} of {len(rows)} rows of {path.name} name no picture that is here"] if num_strange else []
    return {name: column.astype(str) for name, column in zip(names, labels.T, strict=True)}, remarks


def _named(cell: str) -> str:
    """The path of a picture as it is written in a table."""
    return cell.strip().replace("\\", "/").removeprefix("./")


def _rows(path: Path) -> list[list[str]]:
    """Rows of a csv with commas, semicolons or tabs, whichever its first line has most of."""
    try:
        text = read_whole(path).decode("utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8; save it as such") from None
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read ({error})") from None
    if len(rows) < 2 or len(rows[0]) < 2:
        raise ValueError(
            f"{path} must have a line of names, then one for each picture: its file name and a label for each factor"
        )
    return rows


def _places(pictures: Sequence[str]) -> Mapping[str, int]:
    """The position of each picture by its path and, where that is of one alone, without its folder or its ending."""
    ways: tuple[Callable[[PurePosixPath], str], ...] = (
        str,
        lambda path: path.name,
        lambda path: str(path.with_suffix("")),
        lambda path: path.stem,
    )
    paths = [PurePosixPath(name) for name in pictures]
    places: dict[str, int] = {}
    for way in ways:
        names = [way(path) for path in paths]
        counts = Counter(names)
        places = {name: place for place, name in enumerate(names) if counts[name] == 1} | places
    return places
