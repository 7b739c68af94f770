"""Small data sets of the tests, with files and without."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from disent_runner.assembly.dataset_choice import Choice
from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile, rendered
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.layout import Layout

SIZES = {"shape": 3, "size": 4}
SHAPE = (3, 8, 16)


def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (12, *SHAPE), dtype=np.uint8)


def write_official(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pixels().tobytes())


def _read(paths: Sequence[Path]) -> Contents:
    images = np.frombuffer(paths[0].read_bytes(), np.uint8)
    return Contents(SHAPE, FactorSpace(SIZES), (images.reshape(12, *SHAPE),))


def _render() -> Contents:
    return Contents(SHAPE, FactorSpace(SIZES), (255 - pixels(),))


def card(*files: PublishedFile, is_rendered: bool = True, layout: Layout | None = None, **origin: object) -> Card:
    """Twelve images, from the first of the files, or their negatives rendered."""
    official = (Origin(OFFICIAL, _read, files=files, **origin),) if files else ()  # pyright: ignore[reportArgumentType]
    return Card(
        name="twelve",
        title="twelve images",
        licence="none",
        homepage="https://example.org",
        factors=SIZES,
        num_images=12,
        image_shape=SHAPE,
        origins=(*official, *((rendered(_render),) if is_rendered else ())),
        layout=layout,
    )


def choice(card: Card, data_dir: Path, source: str = "auto", **settings: object) -> Choice:
    given = {"check_hash": True, "transform": Transform(), "subset": None, **settings}
    return Choice(card=card, data_dir=data_dir, source=source, **given)  # pyright: ignore[reportArgumentType]
