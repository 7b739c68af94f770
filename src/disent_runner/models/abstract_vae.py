"""The base of every variational autoencoder: one encoder, one decoder, a likelihood; methods add regularizers."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.bounds import bounded
from disent_runner.losses.covariance import covariance_of_codes
from disent_runner.losses.free_bits import at_least
from disent_runner.losses.gaussian import Normal, kl_to_standard_normal, sample_normal
from disent_runner.losses.total_correlation import gaussian_total_correlation
from disent_runner.machine.ranges import Latents, NonNegative
from disent_runner.models.base import (
    AbstractModel,
    check_latent_dim,
    is_number,
    optimise,
    weighted_sum,
)

LOGVAR_LIMIT = 10.0
"""|log σ²| is kept within this (σ from 0.007 to 148): exp() then stays harmless in float32."""
COVARIANCE_EVERY = 10
"""Steps from one look at the covariance of the codes to the next, beside those that are logged."""


@runtime_checkable
class Likelihood(Protocol):
    """p(x|z) given a decoder's logits: `losses.likelihoods`."""

    def nll(self, logits: Tensor, images: Tensor) -> Tensor: ...

    def mean(self, logits: Tensor) -> Tensor: ...


class Inference(NamedTuple):
    """One pass of a batch through encoder and decoder."""

    images: Float[Tensor, "batch channel height width"]
    mean: Float[Tensor, "batch latent"]
    logvar: Float[Tensor, "batch latent"]
    codes: Float[Tensor, "batch latent"]
    logits: Float[Tensor, "batch channel height width"]
    kl: Float[Tensor, "batch latent"]


class AbstractVAE(AbstractModel):
    """Encoder, decoder and likelihood; a method adds its regularizers of the code and their weights."""

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        likelihood: Likelihood,
        optimizer: Callable[..., torch.optim.Optimizer],
        free_bits: NonNegative | None = None,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        if free_bits is not None and not (is_number(free_bits) and free_bits >= 0):
            raise ValueError(f"model.free_bits must be a number of nats of at least 0, or null, got {free_bits!r}")
        self.info = info
        self.latent_dim = check_latent_dim(latent_dim)
        self.encoder = encoder(image_shape=info.image_shape, num_outputs=2 * latent_dim)
        self.decoder = decoder(latent_dim=latent_dim, image_shape=info.image_shape)
        self.likelihood = likelihood
        self.optimizer = optimizer
        self.free_bits = free_bits

    @abstractmethod
    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        """Unweighted terms beside the reconstruction, in nats; a statistic of the whole batch is repeated per image."""

    @abstractmethod
    def weights(self) -> dict[str, float]:
        """Weight of each regularizer; the reconstruction's is 1."""

    def check_weights(self) -> None:
        super().check_weights()
        if self.free_bits is not None and "kl" not in self.weights():
            raise ValueError(f"model.free_bits is of the term kl, which {type(self).__name__} has not; leave it out")

    def kl_term(self, kl: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """What the KL costs: its sum over latents, or with `free_bits` at least that much of each latent's mean."""
        if self.free_bits is None:
            return kl.sum(1)
        return at_least(self.free_bits, kl).sum().expand(len(kl))

    def adversary_step(self, inference: Inference, batch: Batch) -> dict[str, Tensor]:
        """A second player's optimisation step after the model's own, and what it logs. Most models have none."""
        return {}

    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        return posterior(self.encoder(images))

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.likelihood.mean(self.decoder(codes).float())

    def nll(
        self, codes: Float[Tensor, "batch latent"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) in nats."""
        return self.likelihood.nll(self.decoder(codes).float(), images)

    def infer(self, batch: Batch) -> Inference:
        """The pass that a step learns from; a method that trains on pairs or groups has its own."""
        images = batch.images
        mean, logvar = self.encode(images)
        codes = sample_normal(mean, logvar)
        return Inference(images, mean, logvar, codes, self.decoder(codes).float(), kl_to_standard_normal(mean, logvar))

    def loss_terms(self, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        """Unweighted loss terms by name, each per image, in nats."""
        return self._terms(self.infer(batch), batch)

    def reconstruction(self, inference: Inference) -> Float[Tensor, " batch"]:
        """-log p(x|z) in nats; a method that compares images by something else has its own."""
        return self.likelihood.nll(inference.logits, inference.images)

    def _terms(self, inference: Inference, batch: Batch) -> dict[str, Tensor]:
        return {"reconstruction": self.reconstruction(inference), **self.regularizers(inference, batch)}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        inference = self.infer(batch)
        means = {name: term.mean() for name, term in self._terms(inference, batch).items()}
        loss = weighted_sum(means, {"reconstruction": 1.0, **self.weights_at(batch.step)})
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        logged = {"loss": loss.detach(), **{name: mean.detach() for name, mean in means.items()}}
        logged["kl_latent"] = inference.kl.detach().mean(0)
        is_looked_at = batch.is_logged or batch.step % COVARIANCE_EVERY == 0
        if is_looked_at and batch.draw.is_sample and len(inference.mean) > 1:
            logged["covariance"] = _covariance_of_codes(inference)
        return logged | self.adversary_step(inference, batch)

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        kl = means["kl_latent"].sum()
        derived = {"kl": kl, "elbo": -(means["reconstruction"] + kl)}
        if "covariance" in means:
            derived["total_correlation_gaussian"] = gaussian_total_correlation(means["covariance"])
        return derived

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        networks = (self.encoder, self.decoder, self.likelihood)
        parts = [part for part in networks if isinstance(part, nn.Module)]  # some likelihoods have a σ to learn
        return {"model": self.optimizer([parameter for part in parts for parameter in part.parameters()])}


def posterior(outputs: Float[Tensor, "batch outputs"]) -> Normal:
    """Mean and bounded log variance, of a network's outputs one half each."""
    mean, logvar = outputs.float().chunk(2, dim=1)
    return mean, bounded(logvar, -LOGVAR_LIMIT, LOGVAR_LIMIT)


@torch.no_grad()
def _covariance_of_codes(inference: Inference) -> Float[Tensor, "latent latent"]:
    """Of q(z), from a batch; that of the means without bias, so that batches can be averaged."""
    count = len(inference.mean)
    return covariance_of_codes(inference.mean * (count / (count - 1)) ** 0.5, inference.logvar)
