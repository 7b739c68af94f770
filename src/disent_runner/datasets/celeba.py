"""CelebA (Liu et al. 2015): 202,599 faces, aligned and cropped to 218x178 in colour, with 40 attributes each.

The images are `img_align_celeba.zip` or a folder `img_align_celeba`, with 000001.jpg and so on anywhere in it.
`list_attr_celeba.txt` has the number of images, a line of attribute names, and a line of -1 and 1 for each image;
`list_eval_partition.txt` says for each whether it is for training (0), validation (1) or testing (2). Kaggle
passes both on as .csv, a line of names and then one for each image, of which no hash is published.
"""

import hashlib
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Int8

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.archives import Archive, open_archive
from disent_runner.datasets.readers.image_files import decoded_blocks, shape_of
from disent_runner.machine.ranges import OneOf, SomeNames

HOMEPAGE = "http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
ZIP = PublishedFile("img_align_celeba.zip", "md5:00d2c5bc6d35e252742224ab0c1e8fcb")
FOLDER = PublishedFile("img_align_celeba")
ATTRIBUTES_FILE = PublishedFile("list_attr_celeba.txt", "md5:75e246fa4810816ffd6ee81facbd244c")
PARTS_FILE = PublishedFile("list_eval_partition.txt", "md5:d32c9cbf5e040fd4025c592c306e6668")
CSV_TABLES = (PublishedFile("list_attr_celeba.csv"), PublishedFile("list_eval_partition.csv"))

ATTRIBUTES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair "
    "Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones "
    "Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline "
    "Rosy_Cheeks Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick "
    "Wearing_Necklace Wearing_Necktie Young"
)
"""The second line of the file."""

PARTS = {"train": 0, "valid": 1, "test": 2}
NUM_IMAGES = {"all": 202_599, "train": 162_770, "valid": 19_867, "test": 19_962}


def card(
    *,
    part: Annotated[str, OneOf(*NUM_IMAGES)] = "all",
    attributes: SomeNames | None = None,
    files: Sequence[PublishedFile] = (ZIP, ATTRIBUTES_FILE, PARTS_FILE),
) -> Card:
    """part: all, train, valid or test. attributes: those that become factors, absent or present; None for all.

    files: the images, their attributes, and their parts, which `all` does without. ValueError for another part or
    attributes that are no list of different names.
    """
    if part not in NUM_IMAGES:
        raise ValueError(f"dataset.part must be {', '.join(NUM_IMAGES)}, got {part!r}")
    if isinstance(attributes, str) or len(set(attributes or ())) < len(attributes or ()):
        raise ValueError(f"dataset.attributes must be a list of different names or null, got {attributes!r}")
    images, *tables = files if part != "all" else files[:2]
    read = partial(_read, part, attributes)
    return Card(
        name="celeba",
        title="CelebA",
        licence="non-commercial research only",
        homepage=HOMEPAGE,
        factors=dict.fromkeys(ATTRIBUTES.split() if attributes is None else attributes, 2),
        num_images=NUM_IMAGES[part],
        image_shape=(3, 218, 178),
        stored_as="_".join(["celeba", *([part] if part != "all" else []), *_short(attributes)]),
        origins=tuple(
            Origin(OFFICIAL, read, files=(where, *listed), hint=f"get them by the links of {HOMEPAGE}")
            for listed in (tables, CSV_TABLES[: len(tables)])
            for where in (images, FOLDER)
        ),
    )


def _short(attributes: Sequence[str] | None) -> list[str]:
    """What tells the files of some attributes from those of others; forty names are too long for a file's."""
    return [] if attributes is None else [hashlib.sha256(" ".join(map(str, attributes)).encode()).hexdigest()[:8]]


def _read(part: str, attributes: Sequence[str] | None, paths: Sequence[Path]) -> Contents:
    names, columns, values = _attribute_table(paths[1])
    kept = [_column(paths[1], columns, name) for name in (columns if attributes is None else attributes)]
    labels = values[:, kept]
    if part != "all":
        rows = np.flatnonzero(_parts(paths[2], names) == PARTS[part])
        if len(rows) == 0:
            raise ValueError(f"{paths[2]} has no image for {part} (a {PARTS[part]}); choose another dataset.part")
        names, labels = [names[row] for row in rows], labels[rows]
    with open_archive(paths[0]) as archive:
        files = _files(archive, names, listed_in=paths[1])
        shape = shape_of(archive, files[0], channels=3)
    sizes = dict.fromkeys([columns[column] for column in kept], 2)
    return Contents(shape, LabelTable(sizes, labels), decoded_blocks(archive, files, shape))


def _attribute_table(path: Path) -> tuple[list[str], list[str], Int8[np.ndarray, "image attribute"]]:
    """(file names, attribute names, 0 where an attribute is absent and 1 where it is present)."""
    lines = _lines(path)
    if path.suffix == ".csv":
        lines = [str(len(lines) - 1), *lines]
    if len(lines) < 3 or lines[0].strip() != str(len(lines) - 2):
        count = lines[0].strip() if lines else ""
        raise ValueError(
            f"{path} lists {max(0, len(lines) - 2)} images and has {count[:20]!r} for their number in its first line; "
            f"download it again"
        )
    columns = lines[1].split(",")[1:] if path.suffix == ".csv" else lines[1].split()
    names, values = _table(path, lines[2:])
    if values.shape[1] != len(columns) or not np.isin(values, (-1, 1)).all():
        raise ValueError(
            f"{path} has {values.shape[1]} values of {values.min()} to {values.max()} for each image, "
            f"expected -1 or 1 for each of its {len(columns)} attributes; download it again"
        )
    return names, columns, (values > 0).astype(np.int8)


def _column(path: Path, columns: Sequence[str], name: str) -> int:
    if name not in columns:
        closest = get_close_matches(str(name), columns, n=1, cutoff=0)
        raise ValueError(f"{path} has no attribute {name!r}, the closest is {closest[0]!r}; see its second line")
    return columns.index(name)


def _parts(path: Path, names: Sequence[str]) -> Int8[np.ndarray, " image"]:
    """The part of each of these images."""
    lines = _lines(path)
    listed, values = _table(path, lines[1:] if path.suffix == ".csv" else lines)
    if values.shape[1] != 1 or not np.isin(values, list(PARTS.values())).all():
        raise ValueError(f"{path} has other values than 0, 1 or 2 for an image; download it again")
    parts = dict(zip(listed, values[:, 0].tolist(), strict=True))
    missing = [name for name in names if name not in parts]
    if missing:
        raise ValueError(f"{path} lacks {len(missing)} images, the first is {missing[0]}; download it again")
    return np.array([parts[name] for name in names], np.int8)


def _files(archive: Archive, names: Sequence[str], *, listed_in: Path) -> list[str]:
    """The file of each of these images, in whichever folder it lies."""
    files = {name.rpartition("/")[2]: name for name in archive.names}
    missing = [name for name in names if name not in files]
    if missing:
        raise ValueError(
            f"{archive.path} lacks {len(missing)} of the {len(names)} images of {listed_in}, "
            f"the first is {missing[0]}; download it again"
        )
    return [files[name] for name in names]


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="ascii", errors="replace").removeprefix("\ufffd" * 3)  # a byte order mark
    return [line for line in text.splitlines() if line.strip()]


def _table(path: Path, rows: Sequence[str]) -> tuple[list[str], Int8[np.ndarray, "row column"]]:
    """The first word of each row, and the numbers after it: with commas in a csv."""
    comma = "," if path.suffix == ".csv" else None
    if not rows:
        raise ValueError(f"{path} is empty; download it again")
    names, _, numbers = zip(*(row.strip().partition(comma or " ") for row in rows), strict=True)
    try:
        values = np.loadtxt([number or "none" for number in numbers], np.int8, comments=None, ndmin=2, delimiter=comma)
    except ValueError as error:
        raise ValueError(f"{path} is no table of names and numbers ({error}); download it again") from error
    return list(names), values
