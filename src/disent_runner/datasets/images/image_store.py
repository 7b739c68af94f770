"""Images as small as they are (bytes, or bits for binary sets), gathered in batches of floats."""

import warnings
from abc import ABC, abstractmethod
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor


class ImageStore(ABC):
    """All images of a data set on one device."""

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(channel, height, width)"""

    @abstractmethod
    def gather(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel height width"]:
        """Images in [0, 1], float32, on the store's device. IndexError for an index out of range on the CPU."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "ImageStore":
        """The same images on the device, this store where they already are."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of images."""

    @property
    @abstractmethod
    def device(self) -> torch.device: ...

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that the images take."""


@final
class ByteImages(ImageStore):
    """Images of bytes, (image, channel, height, width); 255 is 1.0."""

    def __init__(self, data: UInt8[np.ndarray, "image c h w"] | UInt8[Tensor, "image c h w"]) -> None:
        if data.ndim != 4:
            raise ValueError(f"images must be (image, channel, height, width), got shape {tuple(data.shape)}")
        self._data = _as_tensor(data)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        _, channels, height, width = self._data.shape
        return channels, height, width

    def gather(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel height width"]:
        return self.select(indices) / 255

    def select(self, indices: Int[Tensor, " batch"]) -> UInt8[Tensor, "batch channel height width"]:
        """The bytes themselves."""
        return self._data.index_select(0, indices.to(self.device, non_blocking=True))

    def to(self, device: torch.device | str) -> "ByteImages":
        data = self._data.to(device)
        return self if data is self._data else ByteImages(data)

    def __len__(self) -> int:
        return len(self._data)

    @property
    def device(self) -> torch.device:
        return self._data.device

    @property
    def nbytes(self) -> int:
        return self._data.nbytes


@final
class BitImages(ImageStore):
    """Binary images of one channel, one bit a pixel as `np.packbits` of each image's pixels leaves them."""

    def __init__(
        self,
        data: UInt8[np.ndarray, "image packed"] | UInt8[Tensor, "image packed"],
        *,
        height: int,
        width: int,
    ) -> None:
        if data.ndim != 2 or data.shape[1] * 8 != height * width:
            raise ValueError(
                f"{height}x{width} images need shape (image, {height * width / 8:g}), got {tuple(data.shape)}"
            )
        self._data = _as_tensor(data)
        self._image_shape = (1, height, width)
        pixels = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
        self._eight_pixels = torch.from_numpy(pixels).view(torch.int64).view(-1).to(self._data.device)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self._image_shape

    def gather(self, indices: Int[Tensor, " batch"]) -> Float[Tensor, "batch channel height width"]:
        packed = self._data.index_select(0, indices.to(self.device, non_blocking=True)).view(-1)
        # Eight pixels are looked up at once, as one 64-bit word: as fast as np.unpackbits, and the same on a GPU.
        pixels = self._eight_pixels.index_select(0, packed.int()).view(torch.uint8)
        return pixels.float().view(len(indices), *self._image_shape)

    def to(self, device: torch.device | str) -> "BitImages":
        data = self._data.to(device)
        _, height, width = self._image_shape
        return self if data is self._data else BitImages(data, height=height, width=width)

    def __len__(self) -> int:
        return len(self._data)

    @property
    def device(self) -> torch.device:
        return self._data.device

    @property
    def nbytes(self) -> int:
        return self._data.nbytes


def _as_tensor(data: np.ndarray | Tensor) -> Tensor:
    """The data without a copy. A read-only memory map stays one: nothing here writes to it."""
    if data.dtype not in (np.uint8, torch.uint8):
        raise ValueError(f"images must be uint8, got {data.dtype}")
    if isinstance(data, Tensor):
        return data
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(data)
