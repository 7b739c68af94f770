"""A trained model that another one stands on, such as the vision of SCAN: it is asked, and never changed."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.info import DatasetInfo
from disent_runner.models.base import AbstractModel


@final
class Frozen:
    """A model in evaluation mode whose parameters take no gradient; it has no part in checkpoints of who holds it.

    It is no module, so that who holds it neither trains nor saves nor moves what is in it: `on` moves it.
    """

    def __init__(self, model: AbstractModel, info: DatasetInfo) -> None:
        self._model = model.eval().requires_grad_(False)
        self.info = info
        """The data that it was trained on."""

    @property
    def model(self) -> AbstractModel:
        """For what only some models can. A gradient by its input passes through it, where `encode` has none."""
        return self._model

    @property
    def latent_dim(self) -> int:
        return self._model.latent_dim

    @property
    def step(self) -> int:
        """Optimisation steps that it has had."""
        return self._model.step

    def on(self, device: torch.device | str) -> "Frozen":
        """Itself, its model on that device."""
        if self._model.device != torch.device(device):
            self._model.to(device)
        return self

    @torch.no_grad()
    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        """Mean and log variance of q(z|x), None instead of the variance for point codes, where the images are."""
        return self.on(images.device).model.encode(images)

    @torch.no_grad()
    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """Images in [0, 1], where the codes are."""
        return self.on(codes.device).model.decode(codes)


def check_sees(key: str, frozen: Frozen) -> None:
    """Raises ValueError where the frozen model, the setting `key`, has its codes and images from a run below it."""
    model, place = frozen.model, None
    while model.sees_by is not None:
        _, place = model.parents.get(model.sees_by, (None, None))
        model = getattr(model, model.sees_by).model
    if model is not frozen.model:
        seen = "" if place is None else f", {key}.run={place}"
        raise ValueError(
            f"model.{key} must be a model that sees by itself, {type(frozen.model).__name__} sees by a run below it, "
            f"of {type(model).__name__}; take that one{seen}"
        )


def check_same_data(key: str, frozen: Frozen, info: DatasetInfo) -> None:
    """Raises ValueError where the frozen model, the setting `key`, is of other images than those of `info`."""
    if (frozen.info.name, frozen.info.image_shape) != (info.name, info.image_shape):
        theirs, ours = (f"{one.name} of {'×'.join(map(str, one.image_shape))}" for one in (frozen.info, info))
        raise ValueError(f"model.{key} was trained on {theirs}, these are {ours}; train one on the same images")
