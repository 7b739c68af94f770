"""Oracle triplets."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.grouped_batches import sizes_of
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.datasets.labels.nearness import nearer, periods_of
from disent_runner.losses.bounds import bounded
from disent_runner.losses.triplets import DIVERGENCES, distinct_others, masked, triplet_nll
from disent_runner.machine.ranges import Count, NonNegative, OneOf, SomeNames
from disent_runner.models.abstract_vae import AbstractVAE, Inference

FIRST_WEIGHT = 0.5
FEWEST = 3
"""Images in a batch: a triplet."""


@final
class OracleTriplets(AbstractVAE):
    """Karaletsos et al. 2016: a VAE that also predicts an oracle's answers to "is a nearer b than c?" under questions.

    A question is a factor of `factors` (None: all), and who is nearer in it is read from the labels: |difference| of
    value indices, on a circle where the factor has a period; equally near ones are not asked about. An answer has the
    probability e^-D(a,b) / (e^-D(a,b) + e^-D(a,c)), D the sum over latents of the divergence between posteriors times
    the question's mask, which is learned, not negative, and made sparse by an L1 pull. `masked` false: one D for all
    questions, of all latents alike. `divergence` is `js`, see `losses.triplets.information_radius`, or the symmetric
    `kl`. Each image of a batch is a of `triplets_per_image` triplets within the batch, each under a random question.
    """

    learns_from_labels = True
    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        factors: SomeNames | None,
        masked: bool,
        divergence: Annotated[str, OneOf(*DIVERGENCES)],
        triplets_per_image: Count,
        beta: NonNegative,
        lambda_triplets: NonNegative,
        lambda_sparsity: NonNegative,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        if not self.info.factors:
            raise ValueError(
                f"model=oracle_triplets asks about factors, {self.info.name} has none; choose another data set"
            )
        if divergence not in DIVERGENCES:
            raise ValueError(f"model.divergence must be {' or '.join(DIVERGENCES)}, got {divergence!r}")
        self.factors: Sequence[str] = tuple(self.info.factors) if factors is None else tuple(factors)
        sizes = sizes_of(self.factors, self.info.factors, "model.factors")
        if factors is not None and 1 in sizes:
            constant = self.factors[sizes.index(1)]
            raise ValueError(f"model.factors names {constant!r}, of which there is one value; nobody is nearer in it")
        self.factors = tuple(name for name, size in zip(self.factors, sizes, strict=True) if size > 1)
        self.divergence = divergence
        self.triplets_per_image = triplets_per_image
        self.beta = beta
        self.lambda_triplets = lambda_triplets
        self.lambda_sparsity = lambda_sparsity
        first = torch.full((len(self.factors), self.latent_dim), FIRST_WEIGHT if masked else 1.0)
        self.mask_weights = nn.Parameter(first, requires_grad=masked)

    @property
    def masks(self) -> Float[Tensor, "question latent"]:
        """How much each latent counts in each question, 0 or more."""
        return bounded(self.mask_weights, 0.0, float("inf"))

    def check_batch_size(self, batch_size: int) -> None:
        super().check_batch_size(batch_size)
        if batch_size < FEWEST:
            raise ValueError(f"dataset.batch_size must be at least {FEWEST} for triplets, got {batch_size}")

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        columns = [training.space.column(name, "model.factors") for name in self.factors]
        labels = training.space.factors(np.arange(len(training)))[:, columns]
        if (labels == UNKNOWN).any():
            unknown = self.factors[int((labels == UNKNOWN).any(axis=0).argmax())]
            raise ValueError(f"model.factors: the labels of {unknown!r} are unknown in some images; name the others")
        return source

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        count = len(inference.mean)
        return {
            "kl": self.kl_term(inference.kl),
            "triplets": self.triplet_term(inference, batch).expand(count),
            "sparsity": self.masks.sum().expand(count),
        }

    def triplet_term(self, inference: Inference, batch: Batch) -> Float[Tensor, ""]:
        """Mean of -log p of the answers, in nats; of no answer at all, 0."""
        count = len(inference.mean)
        # Where the labels are, so that nothing waits for the device.
        drawn = distinct_others(count, count * self.triplets_per_image, device=torch.device("cpu"))
        asked = torch.randint(len(self.factors), drawn[0].shape)
        answered = self._answers(batch, *drawn, asked)
        device = inference.mean.device
        anchor, first, second, question, answer = (tensor.to(device) for tensor in (*drawn, asked, answered))
        mean, logvar, mask = inference.mean, inference.logvar, self.masks[question]

        def apart(other: Int[Tensor, " triplet"]) -> Float[Tensor, " triplet"]:
            divergence = DIVERGENCES[self.divergence]
            return masked(divergence((mean[anchor], logvar[anchor]), (mean[other], logvar[other])), mask)

        costs = triplet_nll(answer * apart(first), answer * apart(second))
        is_answered = answer != 0
        return (costs * is_answered).sum() / is_answered.sum().clamp_min(1)

    def _answers(
        self,
        batch: Batch,
        anchor: Int[Tensor, " triplet"],
        first: Int[Tensor, " triplet"],
        second: Int[Tensor, " triplet"],
        question: Int[Tensor, " triplet"],
    ) -> Float[Tensor, " triplet"]:
        """1 where the first is nearer, -1 where the second is, 0 where the oracle cannot say; all on the CPU."""
        space = batch.dataset.space
        columns = [space.column(name, "model.factors") for name in self.factors]
        labels = space.factors(batch.draw.rows.cpu().numpy())[:, columns]
        periods = periods_of(self.factors, self.info.periods)
        a, b, c = (labels[place.numpy()] for place in (anchor, first, second))
        answers = torch.from_numpy(nearer(a, b, c, periods))
        return answers.gather(1, question[:, None])[:, 0].float()

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta, "triplets": self.lambda_triplets, "sparsity": self.lambda_sparsity}

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        networks = (self.encoder, self.decoder, self.likelihood)
        parts = [part for part in networks if isinstance(part, nn.Module)]
        masks = [self.mask_weights] if self.mask_weights.requires_grad else []
        return {"model": self.optimizer([*(parameter for part in parts for parameter in part.parameters()), *masks])}
