"""A coloured room with a hat, an ice lolly or a suitcase: a stand-in for the DeepMind Lab scenes of SCAN.

`card8` has four colours instead of sixteen. Both are made of layers of shading when images are asked for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from disent_runner.datasets.card import Card, Contents, in_blocks, rendered
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.rendering.lab import (
    IDENTITIES,
    IMAGE_SIDE,
    LAB8_SIZES,
    LAB_SIZES,
    lab8_colours,
    lab_colours,
    lab_layers,
)
from disent_runner.rendering.lab_palette import FOUR_COLOURS, LAB_PALETTE

if TYPE_CHECKING:
    from disent_runner.datasets.images.image_store import ImageStore


def card() -> Card:
    return _card("toylab", LAB_SIZES, lab_colours, tuple(LAB_PALETTE))


def card8() -> Card:
    return _card("toylab8", LAB8_SIZES, lab8_colours, FOUR_COLOURS)


def _card(
    name: str,
    sizes: Mapping[str, int],
    palettes: Callable[[], Sequence[np.ndarray]],
    colours: tuple[str, ...],
) -> Card:
    def render() -> Contents:
        layers = lab_layers()
        return Contents(layers.shape[1:], FactorSpace(sizes), in_blocks(layers), num_rows=len(layers))

    def show(layers: "ImageStore") -> "ImageStore":
        from disent_runner.datasets.images.image_store import ByteImages
        from disent_runner.datasets.images.layered_images import LayeredImages

        assert isinstance(layers, ByteImages)
        return LayeredImages(layers, palettes())

    return Card(
        name=name,
        title="the toy lab",
        licence="MIT, as this program",
        homepage="docs/datasets",
        factors=sizes,
        num_images=math.prod(sizes.values()),
        image_shape=(3, IMAGE_SIDE, IMAGE_SIDE),
        periods={"rotation": sizes["rotation"]},
        value_names={**dict.fromkeys(("wall", "floor", "object"), colours), "identity": IDENTITIES},
        origins=(rendered(render, show=show, shown_as=f"layers in the colours of {name}, version 1"),),
    )
