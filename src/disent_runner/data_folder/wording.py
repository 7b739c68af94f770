"""Facts of data sets in words."""

from collections.abc import Mapping
from pathlib import Path

from disent_runner.datasets.card import Card
from disent_runner.datasets.info import DatasetInfo
from disent_runner.machine.files import size_text
from disent_runner.machine.texts import printable

MOST_NAMED = 10


def image(shape: tuple[int, int, int] | None) -> str:
    """Height and width in pixels, and whether there is colour; nothing where the shape is not known."""
    if shape is None:
        return ""
    channels, height, width = shape
    return f"{height}x{width} {'grey' if channels == 1 else 'colour' if channels == 3 else f'of {channels} channels'}"


def factors(sizes: Mapping[str, int]) -> str:
    """Each factor with its number of values; only how many there are, of many that are alike."""
    if len(sizes) > MOST_NAMED and len(set(sizes.values())) == 1:
        return f"{len(sizes)} of {max(sizes.values())} values each"
    return ", ".join(f"{printable(name)} {size}" for name, size in sizes.items())


def number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def sources(card: Card) -> str:
    """The sources in order of preference; where images of one go by another name, that too."""
    stated = [f"{source} ({card.names[source]})" if source in card.names else source for source in card.sources]
    return ", else ".join(stated)


def stored(info: DatasetInfo, path: Path) -> str:
    """One line on a data set and the file that it lies in."""
    images = f"{number(info.num_images)} images, {image(info.image_shape)}, {info.source}"
    return f"{info.name}: {images}; {path} ({size_text(path.stat().st_size)})"
