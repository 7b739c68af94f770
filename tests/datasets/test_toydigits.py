import math
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import toydigits
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering import digits
from disent_runner.rendering.digits import render_digits

SIZES = {"digit": 10, "style": 6, "rotation": 9, "slant": 5, "thickness": 5}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """Two digits in two styles, in all poses."""
    for place in (digits, toydigits):
        monkeypatch.setattr(place, "DIGIT_SIZES", {**SIZES, "digit": 2, "style": 2})
    return load(toydigits.card(), data_dir=tmp_path)


def test_facts() -> None:
    card = toydigits.card()
    assert (card.name, card.sources, card.image_shape) == ("toydigits", ["rendered"], (1, 32, 32))
    assert list(card.factors.items()) == list(SIZES.items())
    assert card.num_images == math.prod(SIZES.values()) == 13_500
    assert dict(card.periods) == {}


def test_images_are_those_of_the_renderer(few: Dataset) -> None:
    info = few.info
    assert (info.name, info.source, info.image_shape) == ("toydigits", "rendered", (1, 32, 32))
    assert info.num_images == len(few) == 900
    indices = np.random.default_rng(0).permutation(len(few))[:200]
    images = few.gather(torch.from_numpy(indices)).numpy()
    expected = render_digits(few.space.factors(indices))[:, None].astype(np.float32) / 255
    np.testing.assert_array_equal(images, expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_shows_the_same(few: Dataset) -> None:
    indices = torch.arange(0, len(few), 3)
    there = few.to("cuda").gather(indices.cuda()).cpu()
    torch.testing.assert_close(there, few.gather(indices), rtol=0, atol=1e-7)
