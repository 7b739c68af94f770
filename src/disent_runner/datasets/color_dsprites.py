"""Colour dSprites (Locatello et al. 2019): each object of dSprites in a random colour on black.

Every image has its own colour, whereas disentanglement_lib draws a new one each time that it shows an image.
"""

from __future__ import annotations  # with torch under TYPE_CHECKING: a card is made without it

from typing import TYPE_CHECKING, Any

from jaxtyping import Float, Int

from disent_runner.datasets.card import Card
from disent_runner.datasets.derived_dsprites import derived_card

if TYPE_CHECKING:
    from torch import Tensor

DARKEST = 128
"""Of 255: red, green and blue are uniform from a half to full."""


def card(**dsprites_card: Any) -> Card:
    return derived_card(
        name="color_dsprites",
        title="colour dSprites",
        derive=coloured,
        shown_as="coloured, version 1",
        **dsprites_card,
    )


def coloured(
    images: Float[Tensor, "batch 1 height width"], indices: Int[Tensor, " batch"]
) -> Float[Tensor, "batch 3 height width"]:
    """The images times the colour that belongs to each index."""
    import torch

    from disent_runner.datasets.images.index_draws import draws

    levels = torch.stack(draws(indices, 3 * (256 - DARKEST,)), dim=1) + DARKEST
    return images * (levels.float() * (1 / 255)).view(-1, 3, 1, 1)  # a GPU rounds a quotient in another way
