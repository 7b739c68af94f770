"""Scream dSprites (Locatello et al. 2019): the objects of dSprites as negatives in patches of a tinted picture.

The published picture is The Scream by Munch, https://upload.wikimedia.org/wikipedia/commons/f/f4/The_Scream.jpg.
Every image has its own patch and tint, whereas disentanglement_lib draws them anew each time that it shows an image.
"""

from __future__ import annotations  # with torch under TYPE_CHECKING: a card is made without it

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from disent_runner.datasets.card import Card
from disent_runner.datasets.derived_dsprites import derived_card
from disent_runner.datasets.dsprites import IMAGE_SHAPE

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from disent_runner.datasets.images.derived_images import Derivation

WIDTH, HEIGHT = 350, 274
"""Larger pictures are shrunk to fit, in pixels."""


def card(*, picture: str | Path | None = None, **dsprites_card: Any) -> Card:
    """Over patches of the picture in that file, or of a generated texture: then the data set's name says so.

    FileNotFoundError where there is no such file, ValueError where it is no picture or a small one.
    """
    if picture is None:
        name, title, pixels, shown_as = "scream_dsprites_texture", "scream dSprites over a texture", None, "texture"
    else:
        name, title, content = "scream_dsprites", "scream dSprites", _content(Path(picture))
        pixels, shown_as = _decoded(content, picture), f"picture {hashlib.sha256(content).hexdigest()}"
    return derived_card(
        name=name,
        title=title,
        derive=negatives_on(pixels),
        shown_as=f"negatives on {shown_as}, version 1",
        **dsprites_card,
    )


def negatives_on(picture: UInt8[np.ndarray, "h w 3"] | None) -> Derivation:
    """Makes images into the patch and tint that belong to each index, halfway between the two, inverted where white.

    Without a picture, patches are cut from the generated texture.
    """

    @cache
    def halves(device: torch.device) -> Float[Tensor, "3 h w"]:
        import torch

        pixels = torch.from_numpy(texture() if picture is None else picture)
        return pixels.permute(2, 0, 1).contiguous().float().div_(510).to(device)

    def derive(
        images: Float[Tensor, "batch 1 height width"], indices: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch 3 height width"]:
        import torch

        from disent_runner.datasets.images.index_draws import draws

        whole = halves(images.device)
        (_, rows, columns), (_, _, height, width) = whole.shape, images.shape
        if height > rows or width > columns:
            raise ValueError(
                f"the picture has {columns}x{rows} pixels, images {width}x{height}; lower dataset.image_size"
            )
        top, left, *tint = draws(indices, (rows - height + 1, columns - width + 1, 256, 256, 256))
        # patches overlap: one is told by where it starts
        num_starts = (rows - height) * columns + columns - width + 1
        patches = whole.as_strided((num_starts, 3, height, width), (1, rows * columns, columns, 1))
        background = patches.index_select(0, top * columns + left)
        background.add_((torch.stack(tint, dim=1).float() * (1 / 510)).view(-1, 3, 1, 1))
        return torch.addcmul(images, background, 1 - 2 * images, out=background)  # 1 - background where white

    return derive


def texture() -> UInt8[np.ndarray, "274 350 3"]:
    """Streaks of all colours, coarse and fine."""
    import torch
    from torch.nn.functional import interpolate

    from disent_runner.datasets.images.index_draws import draws

    total = torch.zeros(1, 3, HEIGHT, WIDTH)
    for number, width in enumerate((128, 64, 32, 16)):
        num_rows, num_columns = 3 * HEIGHT // width, WIDTH // width + 1
        first = number * 2**16
        (levels,) = draws(torch.arange(first, first + 3 * num_rows * num_columns), (256,))
        knots = (levels.float() - 127.5).view(1, 3, num_rows, num_columns)
        total += 0.7 ** (number + 1) * interpolate(knots, (HEIGHT, WIDTH), mode="bicubic")
    return total.add_(127.5).round_().clamp_(0, 255).byte()[0].permute(1, 2, 0).numpy()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"dataset.card.picture={path}: no such file; give the path of a picture, or null for a generated texture"
        ) from None


def _decoded(content: bytes, path: str | Path) -> UInt8[np.ndarray, "h w 3"]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as file:
            picture = file.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"dataset.card.picture={path} cannot be read as a picture ({error})") from error
    size = picture.size
    picture.thumbnail((WIDTH, HEIGHT))
    if picture.width < IMAGE_SHAPE[2] or picture.height < IMAGE_SHAPE[1]:
        raise ValueError(
            f"dataset.card.picture={path} is {size[0]}x{size[1]} pixels, {picture.width}x{picture.height} when shrunk "
            f"to fit {WIDTH}x{HEIGHT}; at least {IMAGE_SHAPE[2]}x{IMAGE_SHAPE[1]} are needed"
        )
    return np.array(picture)
