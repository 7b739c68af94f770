"""What a model was asked about images, and which latents it answers by."""

from __future__ import annotations  # with torch under TYPE_CHECKING: representations of arrays need none

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from disent_runner.models.base import AbstractModel


@final
@dataclass(frozen=True, eq=False)
class Questions:
    """Factors that were asked about, and how much each latent counts in each question."""

    factors: tuple[str, ...]
    masks: np.ndarray
    """(question, latent), 0 or more"""
    divergence: str
    """between posteriors, by its name in `losses.triplets`"""


@runtime_checkable
class Asked(Protocol):
    """A model with a mask of latents for each question, whatever its class."""

    factors: Sequence[str]
    divergence: str

    @property
    def masks(self) -> Tensor: ...


def questions_of(model: AbstractModel) -> Questions | None:
    """What the model was asked; None for one that was not."""
    if not isinstance(model, Asked):
        return None
    return Questions(tuple(model.factors), model.masks.detach().float().cpu().numpy(), model.divergence)
