"""Noisy dSprites (Locatello et al. 2019): the white objects of dSprites before uniform noise in red, green and blue.

Every image has its own noise, whereas disentanglement_lib draws new noise each time that it shows an image.
"""

from __future__ import annotations  # with torch under TYPE_CHECKING: a card is made without it

from functools import cache
from typing import TYPE_CHECKING, Any

from jaxtyping import Float, Int

from disent_runner.datasets.card import Card
from disent_runner.datasets.derived_dsprites import derived_card

if TYPE_CHECKING:
    import torch
    from torch import Tensor

NUM_LEVELS = 2**20
"""Length of the noise of which every image shows a window; to draw each pixel by itself takes many times as long."""


def card(**dsprites_card: Any) -> Card:
    return derived_card(
        name="noisy_dsprites",
        title="noisy dSprites",
        derive=noisy,
        shown_as="before noise, version 1",
        **dsprites_card,
    )


def noisy(
    images: Float[Tensor, "batch 1 height width"], indices: Int[Tensor, " batch"]
) -> Float[Tensor, "batch 3 height width"]:
    """The images plus the noise that belongs to each index, at most 1."""
    from disent_runner.datasets.images.index_draws import draws

    _, _, height, width = images.shape
    windows = _noise(images.device).unfold(0, 3 * height * width, 1)
    (starts,) = draws(indices, (len(windows),))
    noise = windows.index_select(0, starts).view(-1, 3, height, width)
    return noise.add_(images).clamp_(max=1)


@cache
def _noise(device: torch.device) -> Float[Tensor, " level"]:
    import torch

    from disent_runner.datasets.images.index_draws import draws

    (levels,) = draws(torch.arange(NUM_LEVELS), (256,))
    return levels.float().div_(255).to(device)
