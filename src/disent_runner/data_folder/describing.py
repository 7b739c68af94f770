"""`disent-data info`: everything that is known of a data set, and what of it is here."""

from collections.abc import Iterator

import numpy as np

from disent_runner.assembly.dataset_choice import Choice
from disent_runner.data_folder import wording
from disent_runner.datasets.card import RENDERED, Origin, file_name, readers_errors
from disent_runner.datasets.images.image_cache import BrokenCacheError, CachedImages, open_cache
from disent_runner.machine.files import size_text


def describe(choice: Choice) -> str:
    """Lines of a heading and what it says. ValueError where the settings do not fit the images."""
    lines = list(_lines(choice))
    width = max(len(heading) for heading, _ in lines) + 2
    return "\n".join(f"{heading:<{width}}{text}" for heading, text in lines)


def _lines(choice: Choice) -> Iterator[tuple[str, str]]:
    card = choice.card
    yield card.name, card.title
    yield "homepage", card.homepage
    yield "licence", card.licence
    if card.num_images is not None:
        yield "images", wording.number(card.num_images)
    if card.image_shape is not None:
        yield "as published", wording.image(card.image_shape)
        yield "as used", wording.image(choice.image_shape)
    for name, size in card.factors.items():
        yield "factor", f"{name}, {size} values" + _period(choice, name) + _value_names(choice, name)
    for origin in card.origins:
        yield from _origin(origin, choice)


def _period(choice: Choice, name: str) -> str:
    period = choice.card.periods.get(name)
    return "" if period is None else f", the same again after {period}"


def _value_names(choice: Choice, name: str) -> str:
    names = choice.card.value_names.get(name)
    return "" if names is None else f": {', '.join(names)}"


def _origin(origin: Origin, choice: Choice) -> Iterator[tuple[str, str]]:
    card = choice.card
    name = card.name_from(origin)
    also = "" if name == card.name else f", as {name}"
    if origin.source == RENDERED:
        yield origin.source, f"needs no file{also}"
    for file, path in zip(origin.files, origin.find(choice.data_dir, card.name), strict=True):
        yield origin.source, (f"{file.name}{also}, not here" if path is None else f"{path}{also}")
        yield "  hash", file.digest or "none published"
        yield "  from", file.url or "no url"
    if origin.hint is not None and origin.missing(choice.data_dir, card.name):
        yield "  or", origin.hint
    path = choice.data_dir / file_name(card, origin, choice.transform)
    if not path.exists():
        yield from _found(origin, choice)
    else:
        yield "converted", f"{path}, {size_text(path.stat().st_size)}"
        try:
            yield from _contents(open_cache(path, attributes={}))
        except BrokenCacheError as error:
            yield "", f"{error}; it is made again when it is needed"


def _found(origin: Origin, choice: Choice) -> Iterator[tuple[str, str]]:
    """What a user's own file or folder holds, as no card says it; no image is read. ValueError where it is none."""
    paths = [path for path in origin.find(choice.data_dir, choice.card.name) if path is not None]
    if choice.card.num_images is not None or not paths or len(paths) < len(origin.files):
        return
    with readers_errors(", ".join(map(str, paths))):
        contents = origin.read(paths)
    yield "  holds", f"{wording.number(len(contents.factors))} images, {wording.image(contents.image_shape)}"
    yield "  factors", wording.factors(contents.factors.sizes) or "none"
    for remark in contents.remarks:
        yield "  note", remark


def _contents(cached: CachedImages) -> Iterator[tuple[str, str]]:
    """What only the images tell of some data sets."""
    names, sizes = (np.asarray(cached.facts[fact]).tolist() for fact in ("factor_names", "factor_sizes"))
    shape = np.asarray(cached.facts["image_shape"]).tolist()
    yield "  sha256", cached.sha256
    yield "  stored", f"{wording.number(len(cached.data))} images, {wording.image(tuple(shape))}"
    yield "  factors", wording.factors(dict(zip(map(str, names), sizes, strict=True))) or "none"
    for remark in np.asarray(cached.facts.get("remarks", ())).tolist():
        yield "  note", str(remark)
