"""An autoencoder with the weights that it started with."""

from collections.abc import Callable
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.info import DatasetInfo
from disent_runner.machine.ranges import Latents
from disent_runner.models.abstract_baseline import AbstractBaseline, without_gradients
from disent_runner.models.base import check_latent_dim


@final
class Untrained(AbstractBaseline):
    """The row "VAE untrained" of Higgins et al. 2017, table 1: the means of a random encoder, one for each seed."""

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
    ) -> None:
        super().__init__()
        self.latent_dim = check_latent_dim(latent_dim)
        self.encoder = without_gradients(encoder(image_shape=info.image_shape, num_outputs=2 * latent_dim))
        self.decoder = without_gradients(decoder(latent_dim=latent_dim, image_shape=info.image_shape))

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return self.encoder(images).float()[:, : self.latent_dim], None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.decoder(codes).float().sigmoid()
