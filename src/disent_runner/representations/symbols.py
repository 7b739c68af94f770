"""What a model knows of symbols, as functions of arrays: codes of concepts, and concepts of codes."""

from __future__ import annotations  # with torch under TYPE_CHECKING: representations of arrays need none

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from disent_runner.datasets.symbols.concepts import Concepts
    from disent_runner.datasets.symbols.vocabulary import Vocabulary
    from disent_runner.models.base import AbstractModel


@final
@dataclass(frozen=True, eq=False)
class Symbols:
    """Symbols and concepts that a model was taught, and what it makes of them; noise is drawn by who asks."""

    vocabulary: Vocabulary
    factors: tuple[str, ...]
    """the data set's, that concepts are about, in the order of concepts' columns"""
    train: Concepts
    """those that it was taught"""
    unseen: Concepts
    """combinations of all factors of which it saw no image"""
    infer: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    """k-hot symbols (n, s) -> mean and log variance of q(z|y), each (n, D)"""
    describe: Callable[[np.ndarray], np.ndarray]
    """codes (n, D) -> probability of each symbol (n, s)"""
    recombine: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | (
        None
    ) = None
    """operators (n,), means and log variances of first and second concepts -> those of what the operators make of
    them, each (n, D); None for a model without operators"""


@runtime_checkable
class Taught(Protocol):
    """A model that was taught concepts by symbols, whatever its class."""

    vocabulary: Vocabulary
    factors: Sequence[str]
    train_concepts: Tensor
    unseen_concepts: Concepts

    def encode_symbols(self, symbols: Tensor) -> tuple[Tensor, Tensor]: ...

    def describe(self, codes: Tensor) -> Tensor: ...


@runtime_checkable
class Recombining(Protocol):
    """A model of what operators make of two codes of concepts; `concepts.model` was taught those."""

    concepts: Any

    def encode_symbols(self, symbols: Tensor) -> tuple[Tensor, Tensor]: ...

    def describe(self, codes: Tensor) -> Tensor: ...

    def recombine(
        self, operators: Tensor, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]: ...


def symbols_of(model: AbstractModel) -> Symbols | None:
    """What the model knows of symbols, or the one that it recombines the concepts of; None for one of images alone.

    Whatever is asked for is computed on the model's device, in evaluation mode and without gradients.
    """
    import torch

    asked: Any = model
    taught = asked.concepts.model if isinstance(model, Recombining) else asked
    if not isinstance(taught, Taught):
        return None
    model.eval()

    def tensor(array: np.ndarray, kind: type = np.float32) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, kind)).to(model.device)

    @torch.no_grad()
    def infer(symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, logvar = asked.encode_symbols(tensor(symbols))
        return _array(mean), _array(logvar)

    @torch.no_grad()
    def describe(codes: np.ndarray) -> np.ndarray:
        return _array(asked.describe(tensor(codes)))

    @torch.no_grad()
    def recombine(
        operators: np.ndarray, mean1: np.ndarray, logvar1: np.ndarray, mean2: np.ndarray, logvar2: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        first, second = (tensor(mean1), tensor(logvar1)), (tensor(mean2), tensor(logvar2))
        mean, logvar = asked.recombine(tensor(operators, np.int64), first, second)
        return _array(mean), _array(logvar)

    return Symbols(
        vocabulary=taught.vocabulary,
        factors=tuple(taught.factors),
        train=_array(taught.train_concepts),
        unseen=taught.unseen_concepts,
        infer=infer,
        describe=describe,
        recombine=recombine if isinstance(model, Recombining) else None,
    )


def _array(values: Tensor) -> np.ndarray:
    return (values.float() if values.is_floating_point() else values).cpu().numpy()
