"""Numbers that look random but follow from an image's index, so that the same image always looks the same."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor


def draws(indices: Int[Tensor, " image"], sizes: Sequence[int]) -> tuple[Int[Tensor, " image"], ...]:
    """For each of the sizes, one whole number from 0 to size - 1 for each image; the same on every device.

    Images are told apart up to the index 2**32 / len(sizes).
    """
    counters = indices[:, None] * len(sizes) + torch.arange(len(sizes), device=indices.device)
    columns = _mixed(counters).unbind(1)
    return tuple((column * size) >> 32 for column, size in zip(columns, sizes, strict=True))


def _mixed(numbers: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """MurmurHash3's finaliser (Appleby 2011), a permutation of the 32-bit numbers in which every bit depends on all."""
    numbers = numbers & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        numbers = ((numbers ^ (numbers >> shift)) * factor) & 0xFFFFFFFF
    return numbers ^ (numbers >> 16)
