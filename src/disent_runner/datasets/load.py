"""From a card to the data set: find the origin, convert its images once, map them into memory."""

import hashlib
import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from disent_runner.datasets.card import OFFICIAL, RENDERED, Card, Contents, Origin, file_name, identity, readers_errors
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.derived_images import DerivedImages, in_grey
from disent_runner.datasets.images.image_cache import CachedImages, NewImages, open_or_write
from disent_runner.datasets.images.image_store import BitImages, ByteImages, ImageStore
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.machine.files import size_text

_MUCH = 10**9
UNCHECKED = "unchecked"
"""The source of images from published files whose hash was not asked for."""

logger = logging.getLogger("disent_runner")


def load(
    card: Card,
    *,
    data_dir: Path | str,
    source: str = "auto",
    transform: Transform | None = None,
    check_hash: bool = True,
) -> Dataset:
    """The data set; its images stay in a file mapped into memory, made in `data_dir` on first use.

    source: one of the card's, or auto, the first whose files are there. check_hash: whether files must have their
    published hash; without it the data set's source is "unchecked" instead of "official".

    ValueError for another source or a file that is damaged, FileNotFoundError where it is missing, OSError where
    `data_dir` cannot be written.
    """
    data_dir, transform = Path(data_dir), transform or Transform()
    origin = card.choose(data_dir, source)
    if source == "auto" and origin.source == RENDERED != card.sources[0]:
        what = "using rendered images" if card.name_from(origin) == card.name else f"using {card.name_from(origin)}"
        logger.info("%s: no official file in %s, %s", card.name, data_dir, what)
    cached = open_cached(card, origin, data_dir=data_dir, transform=transform, check_hash=check_hash)
    factors, images, content_hash = _factors(cached), _images(cached), cached.sha256
    if origin.show is not None:
        images = origin.show(images)
        shown = f"{cached.sha256} shown as {origin.shown_as}{', grey' if transform.grey else ''}"
        content_hash = hashlib.sha256(shown.encode()).hexdigest()
        if transform.grey and images.image_shape[0] > 1:
            images = DerivedImages(images, derive=in_grey, num_channels=1)
    for remark in _texts(cached, "remarks"):
        logger.info("%s: %s", card.title, remark)
    info = DatasetInfo(
        name=card.name_from(origin),
        image_shape=images.image_shape,
        factors=factors.sizes,
        num_images=len(factors),
        source=UNCHECKED if origin.source == OFFICIAL and not check_hash else origin.source,
        periods={name: period for name, period in card.periods.items() if name in factors.sizes},
        binned=_binned(cached),
        value_names={name: names for name, names in card.value_names.items() if factors.sizes.get(name) == len(names)},
    )
    return Dataset(info=info, space=factors, images=images, content_hash=content_hash)


def open_cached(card: Card, origin: Origin, *, data_dir: Path, transform: Transform, check_hash: bool) -> CachedImages:
    """The origin's images as stored, converted first where that has not been done, or the files have changed since."""
    paths = [path for path in origin.find(data_dir, card.name) if path is not None]
    transform = _before_it_is_shown(origin, transform)
    attributes: dict[str, object] = {
        "data_set": card.stored_as or card.name,
        "source": origin.source,
        "source_version": origin.version,
        "source_files": identity(origin, paths),
        "hash_checked": check_hash,
        "crop": transform.crop or 0,
        "grey": transform.grey,
        "image_size": transform.image_size or 0,
    }
    if origin.sha256 is not None and transform.is_identity:
        attributes["sha256"] = origin.sha256
    written = data_dir / file_name(card, origin, transform)

    def make() -> NewImages:
        if check_hash:
            for file, path in zip(origin.files, paths, strict=True):
                file.check(path)
        what = ", ".join(map(str, paths)) or card.name
        with readers_errors(what):
            contents = origin.read(paths)
        _say_size(contents, transform, what, written)
        if check_hash and origin.source == OFFICIAL:
            _check_published(card, origin, contents, what)
        return _converted(contents, _explained(contents.blocks, what), transform, name=card.name)

    return open_or_write(written, attributes=attributes, make=make)


def _say_size(contents: Contents, transform: Transform, what: str, path: Path) -> None:
    """Before much is written."""
    num_rows = len(contents.factors) if contents.num_rows is None else contents.num_rows
    shape = _shape_after(contents, transform)
    num_bytes = num_rows * math.prod(shape) // (8 if contents.is_packed and transform.is_identity else 1)
    if num_bytes >= _MUCH:
        logger.info("%s: %s of images are written once, to %s", what, size_text(num_bytes), path)


def _shape_after(contents: Contents, transform: Transform) -> tuple[int, int, int]:
    """ValueError where the images do not fit the transform, or are not of one size after it."""
    _, *size = contents.image_shape
    sizes = sorted({tuple(size), *contents.other_sizes})
    if len(sizes) > 1:
        smallest = min(map(min, sizes))
        fits = transform.crop is not None and transform.crop <= smallest
        if not fits and (transform.image_size is None or any(height != width for height, width in sizes)):
            (low, across), (high, wide) = sizes[0], sizes[-1]
            raise ValueError(
                f"images are of {len(sizes)} sizes, from {low}x{across} to {high}x{wide}; make them one: "
                f"dataset.crop={smallest} dataset.image_size={transform.image_size or 64}"
            )
    return contents.image_shape if transform.is_identity else transform.shape_after(contents.image_shape)


def _before_it_is_shown(origin: Origin, transform: Transform) -> Transform:
    """What is done to the stored images: those that are shown on the fly become grey after that."""
    return transform if origin.show is None else replace(transform, grey=False)


def _check_published(card: Card, origin: Origin, contents: Contents, what: str) -> None:
    """ValueError where the images are not as many, as large or as varied as the card says."""
    seen = {
        "factors": dict(contents.factors.sizes),
        "number of images": len(contents.factors),
        "(channel, height, width)": contents.image_shape,
    }
    shape = card.image_shape if origin.show is None else None  # that of what is shown, not of what is in the file
    published = (dict(card.factors) or None, card.num_images, shape)
    for (name, value), expected in zip(seen.items(), published, strict=True):
        if expected not in (None, value):
            raise ValueError(
                f"{what}: {name} {value}, published are {expected}; "
                f"get the published file, or set dataset.check_hash=false if you know this one"
            )


def _explained(blocks: Iterable[np.ndarray], what: str) -> Iterator[np.ndarray]:
    with readers_errors(what):
        yield from blocks


def _converted(contents: Contents, blocks: Iterable[np.ndarray], transform: Transform, *, name: str) -> NewImages:
    num_rows = len(contents.factors) if contents.num_rows is None else contents.num_rows
    if num_rows == 0:
        raise ValueError(f"{name}: there is no image")
    shape, is_packed = _shape_after(contents, transform), contents.is_packed
    if not transform.is_identity:
        blocks = (transform(_unpacked(block, contents)) for block in blocks)
        is_packed = False
    facts, tables = _described(contents.factors)
    return NewImages(
        shape=(num_rows, math.prod(shape) // 8) if is_packed else (num_rows, *shape),
        blocks=_with_bar(blocks, num_rows, name),
        facts={**facts, **_decided(contents), "image_shape": shape},
        tables=tables,
    )


def _unpacked(block: np.ndarray, contents: Contents) -> np.ndarray:
    if not contents.is_packed:
        return block
    return 255 * np.unpackbits(block, axis=1).reshape(len(block), *contents.image_shape)


def _with_bar(blocks: Iterable[np.ndarray], num_images: int, name: str) -> Iterator[np.ndarray]:
    from rich.markup import escape
    from rich.progress import TaskProgressColumn, TimeRemainingColumn

    from disent_runner.machine.bars import Bars

    with Bars(TaskProgressColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(f"{escape(name)}: images", total=num_images)
        for block in blocks:
            yield block
            bar.update(task, advance=len(block))


def _described(factors: Factors) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """The facts and tables that `_factors` reads again."""
    facts: dict[str, object] = {"factor_names": list(factors.names), "factor_sizes": list(factors.shape)}
    if isinstance(factors, LabelTable):
        return facts, {"labels": factors.labels.astype(np.int32)}
    if isinstance(factors, FactorSpace) and factors.grid_rows is not None:
        return facts, {"grid_rows": factors.grid_rows}
    return facts, {}


def _decided(contents: Contents) -> dict[str, object]:
    """The facts that `_binned` reads again, and the remarks."""
    if contents.binned is None:
        return {}
    names, bins = list(contents.binned), list(contents.binned.values())
    return {"binned_factors": names, "num_bins": bins, "remarks": list(contents.remarks)}


def _binned(cached: CachedImages) -> dict[str, int] | None:
    facts: Mapping[str, Any] = cached.facts
    if "num_bins" not in facts:
        return None
    return dict(zip(_texts(cached, "binned_factors"), map(int, np.asarray(facts["num_bins"])), strict=True))


def _texts(cached: CachedImages, fact: str) -> list[str]:
    return [str(text) for text in np.asarray(cached.facts.get(fact, ())).tolist()]


def _factors(cached: CachedImages) -> Factors:
    facts: Mapping[str, Any] = cached.facts
    names, values = np.asarray(facts["factor_names"]).tolist(), np.asarray(facts["factor_sizes"]).tolist()
    sizes = {str(name): int(size) for name, size in zip(names, values, strict=True)}
    if "labels" in cached.tables:
        return LabelTable(sizes, cached.tables["labels"])
    return FactorSpace(sizes, cached.tables.get("grid_rows"))


def _images(cached: CachedImages) -> ImageStore:
    if cached.data.ndim == 4:
        return ByteImages(cached.data)
    _, height, width = np.asarray(cached.facts["image_shape"]).tolist()
    return BitImages(cached.data, height=height, width=width)
