import math
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import toyfaces
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering import faces
from disent_runner.rendering.faces import render_faces

SIZES = {"identity": 50, "azimuth": 21, "elevation": 11, "light": 11}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """One head, seen from above and below, under two lights."""
    for place in (faces, toyfaces):
        monkeypatch.setattr(place, "FACE_SIZES", {**SIZES, "identity": 1, "elevation": 2, "light": 2})
    return load(toyfaces.card(), data_dir=tmp_path)


def test_facts() -> None:
    card = toyfaces.card()
    assert (card.name, card.sources, card.image_shape) == ("toyfaces", ["rendered"], (1, 64, 64))
    assert list(card.factors.items()) == list(SIZES.items())
    assert card.num_images == math.prod(SIZES.values()) == 127_050
    assert dict(card.periods) == {}


def test_images_are_those_of_the_renderer(few: Dataset) -> None:
    info = few.info
    assert (info.name, info.source, info.image_shape) == ("toyfaces", "rendered", (1, 64, 64))
    assert info.num_images == len(few) == 84
    indices = np.random.default_rng(0).permutation(len(few))[:20]
    images = few.gather(torch.from_numpy(indices)).numpy()
    expected = render_faces(few.space.factors(indices))[:, None].astype(np.float32) / 255
    np.testing.assert_array_equal(images, expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_shows_the_same(few: Dataset) -> None:
    indices = torch.arange(0, len(few), 3)
    there = few.to("cuda").gather(indices.cuda()).cpu()
    torch.testing.assert_close(there, few.gather(indices), rtol=0, atol=1e-7)
