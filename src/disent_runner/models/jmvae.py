"""JMVAE, the joint model of images and symbols that SCAN is compared with."""

from collections.abc import Callable
from typing import Any, final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.concepts import joint_kl_terms, symbol_nll
from disent_runner.losses.gaussian import Normal, kl_to_standard_normal, sample_normal
from disent_runner.machine.ranges import Latents, NonNegative
from disent_runner.models.abstract_concepts import AbstractConcepts, symbols_in
from disent_runner.models.abstract_vae import Likelihood, posterior
from disent_runner.models.base import check_latent_dim
from disent_runner.networks.symbols import JointEncoder


@final
class JMVAE(AbstractConcepts):
    """Suzuki et al. 2016: the bound on log p(x, y), and α times KL(q(z|x,y) ‖ q(z|x)) + KL(q(z|x,y) ‖ q(z|y)).

    `alpha` 0 is their JMVAE-zero: there are no q(z|x) and q(z|y), but q(z|x,y) with zeros for what is missing.
    `alpha_x` and `alpha_y` weigh -log p(x|z) and -log p(y|z).
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        alpha: NonNegative,
        alpha_x: NonNegative,
        alpha_y: NonNegative,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        likelihood: Likelihood,
        joint_encoder: Callable[..., JointEncoder],
        symbol_encoder: Callable[..., nn.Module],
        symbol_decoder: Callable[..., nn.Module],
        **concepts: Any,
    ) -> None:
        super().__init__(info=info, **concepts)
        self.latent_dim = check_latent_dim(latent_dim)
        self.image_shape = info.image_shape
        self.alpha, self.alpha_x, self.alpha_y = alpha, alpha_x, alpha_y
        num_symbols, num_outputs = len(self.vocabulary), 2 * latent_dim
        self.encoder = joint_encoder(
            encoder=encoder,
            image_shape=info.image_shape,
            num_symbols=num_symbols,
            num_outputs=num_outputs,
            images_alone=alpha > 0,
        )
        self.symbol_encoder = symbol_encoder(num_inputs=num_symbols, num_outputs=num_outputs) if alpha > 0 else None
        self.decoder = decoder(latent_dim=latent_dim, image_shape=info.image_shape)
        self.symbol_decoder = symbol_decoder(num_inputs=latent_dim, num_outputs=num_symbols)
        self.likelihood = likelihood

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> Normal:
        if self.symbol_encoder is None:
            return posterior(self.encoder(images, images.new_zeros(len(images), len(self.vocabulary)))[0])
        return posterior(self.encoder.of_images(images))

    def encode_symbols(self, symbols: Float[Tensor, "batch symbol"]) -> Normal:
        if self.symbol_encoder is None:
            return posterior(self.encoder(symbols.new_zeros(len(symbols), *self.image_shape), symbols)[0])
        return posterior(self.symbol_encoder(symbols))

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.likelihood.mean(self.decoder(codes).float())

    def nll(
        self, codes: Float[Tensor, "batch latent"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) in nats."""
        return self.likelihood.nll(self.decoder(codes).float(), images)

    def loss_terms(self, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        images, symbols = batch.images, symbols_in(batch)
        both, alone = self.encoder(images, symbols)
        joint = posterior(both)
        codes = sample_normal(*joint)
        terms = {
            "images": self.nll(codes, images),
            "symbols": symbol_nll(self.symbol_decoder(codes).float(), symbols),
            "kl": kl_to_standard_normal(*joint).sum(1),
        }
        if self.symbol_encoder is None:
            return terms
        return terms | joint_kl_terms(joint, posterior(alone), self.encode_symbols(symbols))

    def weights(self) -> dict[str, float]:
        weights = {"images": self.alpha_x, "symbols": self.alpha_y, "kl": 1.0}
        alone = {"kl_to_images": self.alpha, "kl_to_symbols": self.alpha}
        return weights if self.symbol_encoder is None else weights | alone
