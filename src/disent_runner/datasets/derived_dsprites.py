"""Cards of data sets that show the images of dSprites in another way, made from the same file on the fly."""

from __future__ import annotations  # with those under TYPE_CHECKING: a card is made without torch

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from disent_runner.datasets import dsprites
from disent_runner.datasets.card import Card

if TYPE_CHECKING:
    from disent_runner.datasets.images.derived_images import Derivation
    from disent_runner.datasets.images.image_store import ImageStore


def derived_card(*, name: str, title: str, derive: Derivation, shown_as: str, **dsprites_card: Any) -> Card:
    """The card of what `derive` makes of dSprites; `shown_as` as in Origin, the rest as for `dsprites.card`."""

    def show(images: ImageStore) -> ImageStore:
        from disent_runner.datasets.images.derived_images import DerivedImages

        return DerivedImages(images, derive=derive, num_channels=3)

    plain = dsprites.card(**dsprites_card)
    return Card(
        name=name,
        title=title,
        stored_as=plain.name,
        licence=plain.licence,
        homepage=plain.homepage,
        factors=plain.factors,
        num_images=plain.num_images,
        image_shape=(3, *dsprites.IMAGE_SHAPE[1:]),
        periods=plain.periods,
        value_names=plain.value_names,
        origins=tuple(
            replace(origin, show=show, shown_as=shown_as, published_by=plain.name) for origin in plain.origins
        ),
    )
