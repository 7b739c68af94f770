from pathlib import Path

import numpy as np
import pytest

from disent_runner.datasets import toydigits
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering import digits
from disent_runner.rendering.digits import render_digits
from tests.datasets.rendered import check_card, check_images

SIZES = {"digit": 10, "style": 6, "rotation": 9, "slant": 5, "thickness": 5}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """Two digits in two styles, in all poses."""
    for place in (digits, toydigits):
        monkeypatch.setattr(place, "DIGIT_SIZES", {**SIZES, "digit": 2, "style": 2})
    return load(toydigits.card(), data_dir=tmp_path)


def test_facts() -> None:
    check_card(toydigits.card(), "toydigits", image_shape=(1, 32, 32), sizes=SIZES, num_images=13_500)


def test_images_are_those_of_the_renderer(few: Dataset) -> None:
    info = few.info
    assert (info.name, info.source, info.image_shape) == ("toydigits", "rendered", (1, 32, 32))
    assert info.num_images == len(few) == 900
    check_images(few, render_digits, np.random.default_rng(0).permutation(len(few))[:200])
