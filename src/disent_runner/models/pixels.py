"""The image itself as its representation."""

import math
from typing import final

from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.info import DatasetInfo
from disent_runner.models.abstract_baseline import AbstractBaseline


@final
class Pixels(AbstractBaseline):
    """One latent for each number of an image: the row "raw pixels" of Higgins et al. 2017, table 1."""

    def __init__(self, *, info: DatasetInfo) -> None:
        super().__init__()
        self.image_shape = info.image_shape
        self.latent_dim = math.prod(info.image_shape)

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return images.flatten(1), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return codes.reshape(-1, *self.image_shape).clamp(0, 1)
