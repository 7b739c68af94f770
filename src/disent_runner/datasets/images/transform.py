"""What happens to images once, when they are converted: crop, grey, resize."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from threadpoolctl import threadpool_limits

LUMA = np.array([299, 587, 114])
"""Weights of red, green and blue in the luma of ITU-R BT.601, in thousandths."""


@dataclass(frozen=True)
class Transform:
    """Cut out the central square of `crop` pixels, make it grey, resize it to `image_size`; None or False: leave it.

    Smaller images are averages over areas, larger ones bilinear; halves are rounded up.
    """

    crop: int | None = None
    grey: bool = False
    image_size: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("crop", self.crop), ("image_size", self.image_size)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"dataset.{name} must be a positive whole number or null, got {value!r}")

    @property
    def is_identity(self) -> bool:
        return self == Transform()

    def shape_after(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """(channel, height, width) of a transformed image. ValueError where the image does not fit the settings."""
        channels, height, width = image_shape
        if self.crop is not None:
            if self.crop > min(height, width):
                raise ValueError(f"dataset.crop is {self.crop}, but the images are {height}x{width}")
            height = width = self.crop
        if self.image_size is not None:
            if height != width:
                raise ValueError(
                    f"dataset.image_size={self.image_size} needs square images, these are {height}x{width}; "
                    f"set dataset.crop={min(height, width)}"
                )
            height = width = self.image_size
        return 1 if self.grey else channels, height, width

    def __call__(self, images: UInt8[np.ndarray, "image c h w"]) -> UInt8[np.ndarray, "image c_out h_out w_out"]:
        self.shape_after(images.shape[1:])
        if self.crop is not None:
            images = central_square(images, self.crop)
        if self.grey and images.shape[1] == 3:
            images = to_grey(images)
        if self.image_size not in (None, images.shape[-1]):
            images = resize(images, self.image_size)
        return np.ascontiguousarray(images)


def central_square(images: UInt8[np.ndarray, "image c h w"], side: int) -> UInt8[np.ndarray, "image c side side"]:
    top, left = ((length - side) // 2 for length in images.shape[2:])
    return images[:, :, top : top + side, left : left + side]


def to_grey(images: UInt8[np.ndarray, "image 3 h w"]) -> UInt8[np.ndarray, "image 1 h w"]:
    """Luma of ITU-R BT.601."""
    count, channels, height, width = images.shape
    flat = images.astype(np.float32, order="C").reshape(count, channels, -1)
    with _one_thread():
        thousandths = LUMA.astype(np.float32) @ flat  # whole numbers below 2^24: exact
    return np.floor((thousandths + 500) / 1000).astype(np.uint8).reshape(count, 1, height, width)


def resize(images: UInt8[np.ndarray, "image c h w"], side: int) -> UInt8[np.ndarray, "image c side side"]:
    count, channels, height, width = images.shape
    down, across = (resampling(length, side).astype(np.float32) for length in (height, width))
    # one large product over all rows is four times as fast as many small ones
    with _one_thread():
        rows = images.astype(np.float32).reshape(-1, width) @ np.ascontiguousarray(across.T)
        resized = down @ rows.reshape(-1, height, side)
    return np.floor(resized + 0.5).clip(0, 255).astype(np.uint8).reshape(count, channels, side, side)


def _one_thread() -> threadpool_limits:
    """Threads of a product as small as these cost more than they save, ten times so where others use the cores."""
    return threadpool_limits(1, user_api="blas")


def resampling(before: int, after: int) -> Float[np.ndarray, "after before"]:
    """Weights that make `after` pixels of a line out of `before`; each row sums to 1."""
    step = before / after
    if after <= before:
        edges = np.arange(after + 1)[:, None] * step
        reached = np.clip(edges - np.arange(before), 0, 1)  # the share of each pixel before an edge
        return np.diff(reached, axis=0) / step
    centre = np.clip((np.arange(after) + 0.5) * step - 0.5, 0, before - 1)[:, None]
    return np.clip(1 - np.abs(centre - np.arange(before)), 0, None)
