"""TELBO (TrELBO in the slides of SCAN), the other joint model of images and symbols that SCAN is compared with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.bounds import bounded
from disent_runner.losses.concepts import product_of_experts, symbol_nll
from disent_runner.losses.gaussian import Normal, kl_to_standard_normal, sample_normal
from disent_runner.machine.ranges import Latents, NonNegative
from disent_runner.models.abstract_concepts import AbstractConcepts, symbols_in
from disent_runner.models.abstract_vae import LOGVAR_LIMIT, Likelihood, posterior
from disent_runner.models.base import check_latent_dim
from disent_runner.networks.symbols import JointEncoder


@final
class TELBO(AbstractConcepts):
    """Vedantam et al. 2018: minus the mean of three bounds, on log p(x, y), on log p(x) and on log p(y).

    The decoders learn from the first alone: the second trains q(z|x), and the third q(z|y), a product of an expert for
    each symbol that is there and the prior. `alpha_x` weighs log p(x|z), `alpha_y` log p(y|z) in the first bound, and
    `alpha_y_alone` in the third. `lambda_sparse` is the L1 penalty of the symbol decoder's weights. With `unpaired`,
    the bound on log p(x) is of as many other images too, which no symbols come with.
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        alpha_x: NonNegative,
        alpha_y: NonNegative,
        alpha_y_alone: NonNegative,
        lambda_sparse: NonNegative,
        unpaired: bool,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        likelihood: Likelihood,
        joint_encoder: Callable[..., JointEncoder],
        symbol_decoder: Callable[..., nn.Module],
        **concepts: Any,
    ) -> None:
        super().__init__(info=info, **concepts)
        self.latent_dim = check_latent_dim(latent_dim)
        self.alpha_x, self.alpha_y, self.alpha_y_alone = alpha_x, alpha_y, alpha_y_alone
        self.lambda_sparse = lambda_sparse
        self.unpaired = unpaired
        num_symbols = len(self.vocabulary)
        self.encoder = joint_encoder(
            encoder=encoder, image_shape=info.image_shape, num_symbols=num_symbols, num_outputs=2 * latent_dim
        )
        self.expert_mean = nn.Parameter(torch.zeros(num_symbols, latent_dim))
        self.expert_logvar = nn.Parameter(torch.zeros(num_symbols, latent_dim))
        self.decoder = decoder(latent_dim=latent_dim, image_shape=info.image_shape)
        self.symbol_decoder = symbol_decoder(num_inputs=latent_dim, num_outputs=num_symbols)
        self.likelihood = likelihood

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> Normal:
        return posterior(self.encoder.of_images(images))

    def encode_symbols(self, symbols: Float[Tensor, "batch symbol"]) -> Normal:
        logvar = bounded(self.expert_logvar, -LOGVAR_LIMIT, LOGVAR_LIMIT)
        return product_of_experts(symbols, self.expert_mean, logvar)

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.likelihood.mean(self.decoder(codes).float())

    def nll(
        self, codes: Float[Tensor, "batch latent"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) in nats."""
        return self.likelihood.nll(self.decoder(codes).float(), images)

    def loss_terms(self, batch: Batch) -> dict[str, Float[Tensor, " _"]]:
        images, symbols = batch.images, symbols_in(batch)
        both, alone = self.encoder(images, symbols)
        if self.unpaired:
            others = batch.second_images
            images, alone = torch.cat([images, others]), torch.cat([alone, self.encoder.of_images(others)])
        return {
            **self.joint_terms(posterior(both), images[: len(symbols)], symbols),
            **self.image_terms(posterior(alone), images),
            **self.symbol_terms(self.encode_symbols(symbols), symbols),
            "sparsity": self.sparsity().expand(len(symbols)),
        }

    def joint_terms(
        self,
        joint: Normal,
        images: Float[Tensor, "batch channel height width"],
        symbols: Float[Tensor, "batch symbol"],
    ) -> dict[str, Float[Tensor, " batch"]]:
        """Of the bound on log p(x, y)."""
        codes = sample_normal(*joint)
        return {
            "images": self.nll(codes, images),
            "symbols": symbol_nll(self.symbol_decoder(codes).float(), symbols),
            "kl": kl_to_standard_normal(*joint).sum(1),
        }

    def image_terms(
        self, alone: Normal, images: Float[Tensor, "batch channel height width"]
    ) -> dict[str, Float[Tensor, " batch"]]:
        """Of the bound on log p(x), with no gradient to p(x|z)."""
        with unchanged(self.decoder, self.likelihood):
            nll = self.nll(sample_normal(*alone), images)
        return {"images_alone": nll, "kl_images": kl_to_standard_normal(*alone).sum(1)}

    def symbol_terms(self, alone: Normal, symbols: Float[Tensor, "batch symbol"]) -> dict[str, Float[Tensor, " batch"]]:
        """Of the bound on log p(y), with no gradient to p(y|z), and none to anything of images."""
        with unchanged(self.symbol_decoder):
            nll = symbol_nll(self.symbol_decoder(sample_normal(*alone)).float(), symbols)
        return {"symbols_alone": nll, "kl_symbols": kl_to_standard_normal(*alone).sum(1)}

    def sparsity(self) -> Float[Tensor, ""]:
        """Sum of the absolute weights of the symbol decoder, without biases."""
        weights = [value for value in self.symbol_decoder.parameters() if value.ndim > 1]
        return torch.stack([value.abs().sum() for value in weights]).sum()

    def weights(self) -> dict[str, float]:
        third = 1 / 3
        return {
            "images": third * self.alpha_x,
            "symbols": third * self.alpha_y,
            "kl": third,
            "images_alone": third * self.alpha_x,
            "kl_images": third,
            "symbols_alone": third * self.alpha_y_alone,
            "kl_symbols": third,
            "sparsity": self.lambda_sparse,
        }


@contextmanager
def unchanged(*parts: Any) -> Iterator[None]:
    """What is computed meanwhile sends no gradient into the parts' parameters, but through them."""
    parameters = [value for part in parts if isinstance(part, nn.Module) for value in part.parameters()]
    learning = [value for value in parameters if value.requires_grad]
    for value in learning:
        value.requires_grad_(False)
    try:
        yield
    finally:
        for value in learning:
            value.requires_grad_(True)
