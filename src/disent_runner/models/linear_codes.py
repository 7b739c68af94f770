"""Codes that are linear functions of the pixels, found by scikit-learn: the principal or independent components."""

import logging
import math
import warnings
from collections.abc import Callable
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.machine.ranges import Latents
from disent_runner.models.abstract_baseline import NUM_IMAGES, AbstractBaseline
from disent_runner.models.base import check_latent_dim

MAX_ITERATIONS = 1000
LEAST_VARIANCE = 1e-10
"""Of the first component's: less is rounding, about 1e-12 in single precision."""
log = logging.getLogger(__name__)

Matrices = tuple[Float[np.ndarray, "latent pixel"], Float[np.ndarray, "pixel latent"]]
"""From centred pixels to codes, and from codes to centred pixels."""


@final
class LinearCodes(AbstractBaseline):
    """The rows "PCA" and "ICA" of Higgins et al. 2017, table 1: what `components` finds in up to 20,000 images."""

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        components: Callable[[np.ndarray, int, int], Matrices],
    ) -> None:
        super().__init__()
        num_pixels = math.prod(info.image_shape)
        if check_latent_dim(latent_dim) > min(num_pixels, info.num_images):
            raise ValueError(
                f"model.latent_dim must be at most {min(num_pixels, info.num_images)}, the pixels or images there are, "
                f"got {latent_dim}"
            )
        self.latent_dim = latent_dim
        self.image_shape = info.image_shape
        self.components = components
        self.register_buffer("pixel_mean", torch.zeros(num_pixels))
        self.register_buffer("analysis", torch.zeros(latent_dim, num_pixels))
        self.register_buffer("synthesis", torch.zeros(num_pixels, latent_dim))
        self.pixel_mean: Tensor
        self.analysis: Tensor
        self.synthesis: Tensor

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        rows = rng.choice(len(training), min(NUM_IMAGES, len(training)), replace=False)
        pixels = training.gather(torch.from_numpy(rows)).flatten(1).cpu()
        self.pixel_mean.copy_(pixels.mean(0))
        matrices = self.components((pixels - self.pixel_mean.cpu()).numpy(), self.latent_dim, int(rng.integers(2**31)))
        for buffer, matrix in zip((self.analysis, self.synthesis), matrices, strict=True):
            buffer.copy_(torch.from_numpy(np.ascontiguousarray(matrix, np.float32)))

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return (images.flatten(1) - self.pixel_mean) @ self.analysis.T, None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return (codes @ self.synthesis.T + self.pixel_mean).reshape(-1, *self.image_shape).clamp(0, 1)


def principal_components(centred: Float[np.ndarray, "image pixel"], num: int, seed: int) -> Matrices:
    """Whitened principal components, the largest variance first.

    N images vary in at most N - 1 directions, and in fewer where some are alike. What is left of `num` is 0.
    """
    from sklearn.decomposition import PCA  # what training needs not

    with np.errstate(invalid="ignore"):  # shares of a variance of 0
        pca = PCA(num, svd_solver="randomized", random_state=seed).fit(centred)
    variance, components = pca.explained_variance_, np.asarray(pca.components_)
    varies = (variance > LEAST_VARIANCE * variance[0]) & (np.arange(num) < len(centred) - 1)
    if not varies.all():
        log.warning("the images vary in %d directions only: %d codes of %d are 0", varies.sum(), (~varies).sum(), num)
    scale = np.sqrt(np.where(varies, variance, 1))
    components = components * varies[:, None]
    return components / scale[:, None], components.T * scale


def independent_components(centred: Float[np.ndarray, "image pixel"], num: int, seed: int) -> Matrices:
    """FastICA (Hyvärinen & Oja 2000) in the space of as many principal components, as its own whitening has it."""
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    analysis, synthesis = principal_components(centred, num, seed)
    varies = analysis.any(axis=1)
    rank = int(varies.sum())
    if rank == 0:
        return analysis, synthesis
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # said below
        ica = FastICA(rank, whiten="unit-variance", random_state=seed, max_iter=MAX_ITERATIONS, tol=1e-3).fit(
            (centred @ analysis[varies].T).astype(np.float64)  # in float32 components of few images may coincide
        )
    if ica.n_iter_ >= MAX_ITERATIONS:
        log.warning("ica: not converged after %d iterations; its components are those of the last", MAX_ITERATIONS)
    analysis[varies], synthesis[:, varies] = ica.components_ @ analysis[varies], synthesis[:, varies] @ ica.mixing_
    return analysis, synthesis
