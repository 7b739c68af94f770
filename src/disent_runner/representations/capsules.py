"""Capsules of a model that knows where the parts of an image are, as functions of arrays."""

from __future__ import annotations  # with torch under TYPE_CHECKING: representations of arrays need none

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, final, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from disent_runner.models.base import AbstractModel


class Movement(NamedTuple):
    """What capsules say after images were moved by what is known."""

    presences: np.ndarray
    """(image, capsule), 0 to 1"""
    expected: np.ndarray
    """(image, capsule, 2): by how many pixels x and y should have changed"""
    found: np.ndarray
    """(image, capsule, 2): by how many they have"""


class Views(NamedTuple):
    """Images (image, channel, height, width) in [0, 1], and what each capsule draws of them."""

    seen: np.ndarray
    target: np.ndarray
    predicted: np.ndarray
    parts: np.ndarray
    """(image, capsule, channel, height, width): of any sign, their sum is the prediction"""


@final
@dataclass(frozen=True, eq=False)
class Capsules:
    """Images, random generator -> how they are moved and followed. Codes are the numbers of capsule after capsule,
    its presence last.
    """

    num_capsules: int
    movement: Callable[[np.ndarray, np.random.Generator], Movement]
    views: Callable[[np.ndarray, np.random.Generator], Views]
    filters: Callable[[], np.ndarray]
    """what each generation unit draws, (capsule, unit, channel, height, width), of any sign"""

    def presences(self, codes: np.ndarray) -> np.ndarray:
        """(image, capsule)"""
        return codes.reshape(len(codes), self.num_capsules, -1)[..., -1]


@runtime_checkable
class Capsuled(Protocol):
    """A model of capsules, whatever its class."""

    num_capsules: int

    def movement(self, images: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]: ...
    def views(self, images: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]: ...
    def filters(self) -> Tensor: ...


def capsules_of(model: AbstractModel) -> Capsules | None:
    """None for a model without capsules. Computed on the model's device, in evaluation mode and without gradients."""
    if not isinstance(model, Capsuled):
        return None
    model.eval()

    def asked(images: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, int]:
        import torch

        return torch.from_numpy(np.asarray(images, np.float32)).to(model.device), int(rng.integers(2**31))

    def arrays(parts: tuple[Tensor, ...]) -> list[np.ndarray]:
        return [part.float().cpu().numpy() for part in parts]

    return Capsules(
        num_capsules=model.num_capsules,
        movement=lambda images, rng: Movement(*arrays(model.movement(*asked(images, rng)))),
        views=lambda images, rng: Views(*arrays(model.views(*asked(images, rng)))),
        filters=lambda: model.filters().float().cpu().numpy(),
    )
