from pathlib import Path

import numpy as np
import pytest

from disent_runner.datasets import toyfaces
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering import faces
from disent_runner.rendering.faces import render_faces
from tests.datasets.rendered import check_card, check_images

SIZES = {"identity": 50, "azimuth": 21, "elevation": 11, "light": 11}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """One head, seen from above and below, under two lights."""
    for place in (faces, toyfaces):
        monkeypatch.setattr(place, "FACE_SIZES", {**SIZES, "identity": 1, "elevation": 2, "light": 2})
    return load(toyfaces.card(), data_dir=tmp_path)


def test_facts() -> None:
    check_card(toyfaces.card(), "toyfaces", image_shape=(1, 64, 64), sizes=SIZES, num_images=127_050)


def test_images_are_those_of_the_renderer(few: Dataset) -> None:
    info = few.info
    assert (info.name, info.source, info.image_shape) == ("toyfaces", "rendered", (1, 64, 64))
    assert info.num_images == len(few) == 84
    check_images(few, render_faces, np.random.default_rng(0).permutation(len(few))[:20])
