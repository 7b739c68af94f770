"""SCAN: concepts of symbols, grounded in the posteriors of a vision that stays as it is."""

from collections.abc import Callable
from typing import Annotated, Any, final

from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.concepts import GROUNDINGS, symbol_nll
from disent_runner.losses.gaussian import Normal, kl_to_standard_normal, sample_normal
from disent_runner.machine.ranges import NonNegative, OneOf
from disent_runner.models.abstract_concepts import AbstractConcepts, symbols_in
from disent_runner.models.abstract_vae import posterior
from disent_runner.models.frozen import Frozen, check_same_data, check_sees
from disent_runner.models.frozen_posteriors import FrozenPosteriors, check_posteriors


@final
class ScanConcepts(AbstractConcepts):
    """Higgins et al. 2018, eq. 4: -log p(y|z) + β KL(q(z|y) ‖ N(0, 1)) + λ KL(q(z|x) ‖ q(z|y)).

    q(z|x) is that of the frozen `vision`, which makes codes of images and images of codes: latents are its own.
    `kl` reverse: KL(q(z|y) ‖ q(z|x)) instead, as in their SCAN_R.
    """

    sees_by = "vision"

    def __init__(
        self,
        *,
        info: DatasetInfo,
        vision: Frozen,
        beta: NonNegative,
        lambda_: NonNegative,
        kl: Annotated[str, OneOf(*GROUNDINGS)],
        symbol_encoder: Callable[..., nn.Module],
        symbol_decoder: Callable[..., nn.Module],
        **concepts: Any,
    ) -> None:
        super().__init__(info=info, **concepts)
        check_same_data("vision", vision, info)
        check_sees("vision", vision)
        check_posteriors("vision", vision)
        if kl not in GROUNDINGS:
            raise ValueError(f"model.kl must be {' or '.join(GROUNDINGS)}, got {kl!r}")
        self.vision = vision
        self.latent_dim = vision.latent_dim
        self.beta = beta
        self.lambda_ = lambda_
        self.grounding = GROUNDINGS[kl]
        num_symbols = len(self.vocabulary)
        self.symbol_encoder = symbol_encoder(num_inputs=num_symbols, num_outputs=2 * self.latent_dim)
        self.symbol_decoder = symbol_decoder(num_inputs=self.latent_dim, num_outputs=num_symbols)
        self.seen = FrozenPosteriors(vision, self.train_rows)

    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        return self.vision.encode(images)

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.vision.decode(codes)

    def encode_symbols(self, symbols: Float[Tensor, "batch symbol"]) -> Normal:
        return posterior(self.symbol_encoder(symbols))

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        self.seen = FrozenPosteriors(self.vision, self.train_rows)  # which are known by now
        return super().batches(training, source, batch_size=batch_size, seed=seed)

    def loss_terms(self, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        symbols = symbols_in(batch)
        mean, logvar = self.encode_symbols(symbols)
        logits = self.symbol_decoder(sample_normal(mean, logvar)).float()
        return {
            "symbols": symbol_nll(logits, symbols),
            "kl": kl_to_standard_normal(mean, logvar).sum(1),
            "grounding": self.grounding(self.seen.of(batch), (mean, logvar)),
        }

    def weights(self) -> dict[str, float]:
        return {"symbols": 1.0, "kl": self.beta, "grounding": self.lambda_}
