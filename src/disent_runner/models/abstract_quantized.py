"""The base of auto-encoders whose latents take one of a few values each; methods say which, and add their terms."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.quantization import nearest_values
from disent_runner.machine.ranges import Latents
from disent_runner.models.abstract_vae import Likelihood
from disent_runner.models.base import AbstractModel, check_latent_dim, optimise, weighted_sum


class Quantized(NamedTuple):
    """What becomes of the continuous latents of a batch in training."""

    codes: Float[Tensor, "batch latent"]
    """for the decoder, whose gradient reaches the encoder by them"""
    terms: dict[str, Tensor]
    """unweighted terms beside the reconstruction, each (batch,)"""
    choices: Float[Tensor, "batch latent value"] | None = None
    """shares of the values in the codes; None where each code is one of them"""


class AbstractQuantized(AbstractModel):
    """Encoder, quantization, decoder and likelihood. Codes are points, the quantized latents.

    The reconstruction is -log p(x|z) as a mean over the numbers of an image, in nats for each, which is what the
    weights of Hsu et al. are beside; a VAE's is the sum.
    """

    values: Tensor
    """(latent, value): those that each latent can take, or (1, value) for all; of a parameter or a buffer."""

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        likelihood: Likelihood,
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.latent_dim = check_latent_dim(latent_dim)
        self.encoder = encoder(image_shape=info.image_shape, num_outputs=latent_dim)
        self.decoder = decoder(latent_dim=latent_dim, image_shape=info.image_shape)
        self.likelihood = likelihood
        self.optimizer = optimizer

    @abstractmethod
    def continuous(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch latent"]:
        """Latents before quantization."""

    @abstractmethod
    def quantize(self, continuous: Float[Tensor, "batch latent"]) -> Quantized:
        """Codes of training, and terms beside the reconstruction."""

    def adversary_step(self, quantized: Quantized, batch: Batch) -> dict[str, Tensor]:
        """The step of a second player, after the model's own; what it reports."""
        return {}

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return nearest_values(self.continuous(images), self.values), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.likelihood.mean(self.decoder(codes).float())

    def nll(
        self, codes: Float[Tensor, "batch latent"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) of a whole image, in nats."""
        return self.likelihood.nll(self.decoder(codes).float(), images)

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        """Each latent one of its values, uniformly."""
        values = self.values.detach().float().cpu().numpy()
        indices = rng.integers(values.shape[1], size=(num_codes, self.latent_dim))
        return np.take_along_axis(np.broadcast_to(values, (self.latent_dim, values.shape[1])), indices.T, axis=1).T

    def update(self, batch: Batch) -> dict[str, Tensor]:
        images = batch.images
        quantized = self.quantize(self.continuous(images))
        reconstruction = self.nll(quantized.codes, images) / images[0].numel()
        terms = {"reconstruction": reconstruction, **quantized.terms}
        means = {name: term.mean() for name, term in terms.items()}
        loss = weighted_sum(means, {"reconstruction": 1.0, **self.weights_at(batch.step)})
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        logged = {"loss": loss.detach(), **{name: mean.detach() for name, mean in means.items()}}
        return logged | self.adversary_step(quantized, batch)

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimizer, whose weight decay is of weights alone: not of biases, not of the values."""
        named = dict(self.named_parameters())
        weights = [parameter for name, parameter in named.items() if name.endswith("weight")]
        others = [parameter for name, parameter in named.items() if not name.endswith("weight")]
        return {"model": self.optimizer([{"params": weights}, {"params": others, "weight_decay": 0.0}])}
