from pathlib import Path

import numpy as np
import pytest

from disent_runner.datasets import toychairs
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering import chairs
from disent_runner.rendering.chairs import render_chairs
from tests.datasets.rendered import check_card, check_images

SIZES = {"rotation": 62, "legs": 4, "width": 6, "back": 5}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """Eight chairs, turned by a quarter at a time."""
    for place in (chairs, toychairs):
        monkeypatch.setattr(place, "CHAIR_SIZES", {**SIZES, "rotation": 4, "width": 2, "back": 1})
    return load(toychairs.card(), data_dir=tmp_path)


def test_facts() -> None:
    check_card(
        toychairs.card(), "toychairs", image_shape=(1, 64, 64), sizes=SIZES, num_images=7_440, periods={"rotation": 62}
    )


def test_images_are_those_of_the_renderer(few: Dataset) -> None:
    info = few.info
    assert (info.name, info.source, info.image_shape) == ("toychairs", "rendered", (1, 64, 64))
    assert info.num_images == len(few) == 32
    check_images(few, render_chairs, np.arange(len(few))[::-1].copy())


def test_the_last_rotation_is_followed_by_the_first() -> None:
    rotations = np.array([60, 61, 0, 1, 2])
    images = render_chairs(np.stack([rotations, *np.broadcast_to([[1], [2], [3]], (3, 5))], axis=1)).astype(int)
    steps = np.abs(np.diff(images, axis=0)).sum(axis=(1, 2))
    assert steps[1] <= 1.5 * steps[[0, 2, 3]].max()
    assert steps.min() > 0
