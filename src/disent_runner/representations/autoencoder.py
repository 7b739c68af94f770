"""A trained model as functions of arrays: what metrics and figures use of it beside the codes."""

from collections.abc import Callable
from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.func import jvp, vmap

from disent_runner.datasets.dataset import Dataset
from disent_runner.models.base import AbstractModel
from disent_runner.representations.representation import Autoencoder

_DECODED_AT_ONCE = 128
_forward_mode = Lock()  # torch keeps in a global variable how deep forward differentiation is nested


@runtime_checkable
class Likely(Protocol):
    """A model with a likelihood of images."""

    def nll(self, codes: Tensor, images: Tensor) -> Tensor:
        """-log p(x|z) in nats, for each pair of a code and an image."""
        ...


def autoencoder_of(model: AbstractModel, dataset: Dataset, indices: np.ndarray) -> Autoencoder:
    """The model's decoder and likelihood, and the images with these indices of the data set, by row.

    Whatever is asked for is computed in batches on the model's device, in evaluation mode and without gradients.
    """
    model.eval()

    def images(rows: Tensor) -> Tensor:
        return dataset.gather(torch.from_numpy(indices)[rows]).to(model.device)

    def jacobian(codes: Tensor) -> Tensor:
        """All latents at once, so that what does not depend on the direction is computed once."""

        def along(direction: Tensor) -> Tensor:
            return jvp(model.decode, (codes,), (direction.expand_as(codes),))[1].flatten(1)

        with _forward_mode:
            return vmap(along)(torch.eye(codes.shape[1], device=codes.device)).permute(1, 2, 0)

    def nll(codes: Tensor, rows: Tensor) -> Tensor:
        assert isinstance(model, Likely)
        return model.nll(codes, images(rows))

    return Autoencoder(
        images=lambda rows: _in_batches(images, _row_tensor(rows)),
        decode=lambda codes: _in_batches(model.decode, _float_tensor(codes, model)),
        jacobian=lambda codes: _in_batches(
            jacobian, _float_tensor(codes, model), size=max(1, _DECODED_AT_ONCE // codes.shape[1])
        ),
        prior=model.sample_codes,
        nll=(lambda codes, rows: _in_batches(nll, _float_tensor(codes, model), _row_tensor(rows)))
        if isinstance(model, Likely)
        else None,
        render=(
            lambda codes, noise: _in_batches(model.render, _float_tensor(codes, model), _float_tensor(noise, model))
        )
        if model.noise_dim
        else None,
        noise_dim=model.noise_dim,
    )


@torch.no_grad()
def _in_batches(function: Callable[..., Tensor], *arguments: Tensor, size: int = _DECODED_AT_ONCE) -> np.ndarray:
    parts = zip(*(argument.split(size) for argument in arguments), strict=True)
    return torch.cat([function(*part).float().cpu() for part in parts]).numpy()


def _row_tensor(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(rows, dtype=np.int64))


def _float_tensor(values: np.ndarray, model: AbstractModel) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(model.device)
