import math
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import toychairs
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering import chairs
from disent_runner.rendering.chairs import render_chairs

SIZES = {"rotation": 62, "legs": 4, "width": 6, "back": 5}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """Eight chairs, turned by a quarter at a time."""
    for place in (chairs, toychairs):
        monkeypatch.setattr(place, "CHAIR_SIZES", {**SIZES, "rotation": 4, "width": 2, "back": 1})
    return load(toychairs.card(), data_dir=tmp_path)


def test_facts() -> None:
    card = toychairs.card()
    assert (card.name, card.sources, card.image_shape) == ("toychairs", ["rendered"], (1, 64, 64))
    assert list(card.factors.items()) == list(SIZES.items())
    assert card.num_images == math.prod(SIZES.values()) == 7_440
    assert dict(card.periods) == {"rotation": 62}


def test_images_are_those_of_the_renderer(few: Dataset) -> None:
    info = few.info
    assert (info.name, info.source, info.image_shape) == ("toychairs", "rendered", (1, 64, 64))
    assert info.num_images == len(few) == 32
    indices = np.arange(len(few))[::-1].copy()
    images = few.gather(torch.from_numpy(indices)).numpy()
    expected = render_chairs(few.space.factors(indices))[:, None].astype(np.float32) / 255
    np.testing.assert_array_equal(images, expected)


def test_the_last_rotation_is_followed_by_the_first() -> None:
    rotations = np.array([60, 61, 0, 1, 2])
    images = render_chairs(np.stack([rotations, *np.broadcast_to([[1], [2], [3]], (3, 5))], axis=1)).astype(int)
    steps = np.abs(np.diff(images, axis=0)).sum(axis=(1, 2))
    assert steps[1] <= 1.5 * steps[[0, 2, 3]].max()
    assert steps.min() > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_shows_the_same(few: Dataset) -> None:
    indices = torch.arange(0, len(few), 3)
    there = few.to("cuda").gather(indices.cuda()).cpu()
    torch.testing.assert_close(there, few.gather(indices), rtol=0, atol=1e-7)
