"""What the tests of data sets that a renderer makes share."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch

from disent_runner.datasets.card import Card
from disent_runner.datasets.dataset import Dataset


def check_card(
    card: Card,
    name: str,
    *,
    image_shape: tuple[int, int, int],
    sizes: Mapping[str, int],
    num_images: int,
    periods: Mapping[str, int] | None = None,
) -> None:
    """A full grid of these factors, from a renderer alone."""
    assert (card.name, card.sources, card.image_shape) == (name, ["rendered"], image_shape)
    assert list(card.factors.items()) == list(sizes.items())
    assert card.num_images == math.prod(sizes.values()) == num_images
    assert dict(card.periods) == (periods or {})


def check_images(few: Dataset, render: Callable[[np.ndarray], np.ndarray], indices: np.ndarray) -> None:
    """The images of these rows are what the renderer makes of their factors, on a GPU too where there is one."""
    expected = render(few.space.factors(indices))[:, None].astype(np.float32) / 255
    rows = torch.from_numpy(indices)
    np.testing.assert_array_equal(few.gather(rows).numpy(), expected)
    if torch.cuda.is_available():
        there = few.to("cuda").gather(rows.cuda()).cpu()
        torch.testing.assert_close(there, few.gather(rows), rtol=0, atol=1e-7)
