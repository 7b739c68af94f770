"""`disent-data verify`: whether files that are there are the published ones, and images those that were written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from disent_runner.assembly.dataset_choice import Choice
from disent_runner.datasets.card import Card, Origin, PublishedFile, file_name, identity
from disent_runner.datasets.images.image_cache import BrokenCacheError, damage, open_cache


@dataclass(frozen=True)
class Finding:
    """One line on one file."""

    is_wrong: bool
    line: str


def verify(choice: Choice) -> Iterator[Finding]:
    """What there is to say of each file of the data set that is there; something is wrong if none is.

    The official files are those of every source; the converted ones those of the choice's transform.
    """
    card, is_anything_there = choice.card, False
    for origin in card.origins:
        for finding in (*_published(origin, choice), *_converted(card, origin, choice)):
            is_anything_there = True
            yield finding
    if not is_anything_there:
        yield Finding(True, f"nothing of {card.name} is in {choice.data_dir}; run `disent-data prepare {card.name}`")


def _published(origin: Origin, choice: Choice) -> Iterator[Finding]:
    paths = origin.find(choice.data_dir, choice.card.name)
    if not any(paths):
        return
    for file, path in zip(origin.files, paths, strict=True):
        if path is None:
            folder = next(filter(None, paths)).parent
            yield Finding(True, f"{file.name} is missing in {folder}; run `disent-data prepare {choice.card.name}`")
        else:
            yield _checked(file, path)


def _checked(file: PublishedFile, path: Path) -> Finding:
    if path.is_dir() or file.digest is None:
        return Finding(False, f"{path}: there, no hash of it is published")
    try:
        file.check(path)
    except (ValueError, OSError) as error:
        return Finding(True, str(error))
    return Finding(False, f"{path}: {file.digest}, as published")


def _converted(card: Card, origin: Origin, choice: Choice) -> Iterator[Finding]:
    path = choice.data_dir / file_name(card, origin, choice.transform)
    if not path.exists():
        return
    paths = [path for path in origin.find(choice.data_dir, card.name) if path is not None]
    made_from: dict[str, object] = {"source_version": origin.version}
    if len(paths) == len(origin.files):
        made_from["source_files"] = identity(origin, paths)
    if origin.sha256 is not None and choice.transform.is_identity:
        made_from["sha256"] = origin.sha256
    again = f"remove it, and `disent-data prepare {card.name}` makes it again"
    try:
        cached = open_cache(path, attributes=made_from)
        wrong = damage(cached)
    except BrokenCacheError as error:
        yield Finding(True, f"{error}; {again}")
    except (ValueError, OSError) as error:
        yield Finding(True, str(error))
    else:
        line = f"{path}: images of sha256 {cached.sha256}, as written" if wrong is None else f"{path}: {wrong}; {again}"
        yield Finding(wrong is not None, line)
