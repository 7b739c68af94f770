"""Information dropout."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, final

import numpy as np
import torch
from annotated_types import Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.grouped_batches import sizes_of
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.losses.bounds import bounded
from disent_runner.losses.covariance import covariance_of_codes
from disent_runner.losses.gaussian import sample_normal
from disent_runner.losses.multiplicative_noise import kl_to_log_normal, kl_to_log_uniform
from disent_runner.losses.total_correlation import gaussian_total_correlation
from disent_runner.machine.ranges import Latents, NonNegative, OneOf, Text
from disent_runner.models.abstract_vae import COVARIANCE_EVERY, Likelihood
from disent_runner.models.base import AbstractModel, check_latent_dim, is_number, optimise, weighted_sum
from disent_runner.networks.layers import OutputLayer

ACTIVATIONS = ("softplus", "relu")
LARGEST_ALPHA = 1.0
LIMIT = 10.0
"""|logit| of α / α_max is kept within this, and so is |log z| of what is drawn from the log-uniform prior."""
LOWEST = -30.0
"""Of what softplus is taken, whose logarithm is that number then."""


@final
class InfoDropout(AbstractModel):
    """Achille & Soatto 2018: the task's loss + β KL(p(z|x) ‖ p(z)), activations z = f(x) ε with log ε ~ N(0, α(x)²).

    The task is to tell the value of the factor `target`, or the images themselves where it is None. `softplus`
    activations have a log-normal prior whose mean and scale are learned, `relu` a log-uniform one. α(x) is at most
    `max_alpha`. The noise is in one layer, the encoder's outputs.

    Codes are log f(x), with log α(x)² for a log variance, where z is log-normal; rectified ones are points, f(x).
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        target: Text | None,
        activation: Annotated[str, OneOf(*ACTIVATIONS)],
        beta: NonNegative,
        max_alpha: Annotated[float, Gt(0), Le(LARGEST_ALPHA)],
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        likelihood: Likelihood,
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        if activation not in ACTIVATIONS:
            raise ValueError(f"model.activation must be {' or '.join(ACTIVATIONS)}, got {activation!r}")
        if not (is_number(max_alpha) and 0 < max_alpha <= LARGEST_ALPHA):
            raise ValueError(f"model.max_alpha must be above 0 and at most {LARGEST_ALPHA}, got {max_alpha!r}")
        self.info = info
        self.latent_dim = check_latent_dim(latent_dim)
        self.target = target
        self.is_rectified = activation == "relu"
        self.beta = beta
        self.max_alpha = max_alpha
        self.optimizer = optimizer
        self.encoder = encoder(image_shape=info.image_shape, num_outputs=2 * latent_dim)
        if target is None:
            self.decoder = decoder(latent_dim=latent_dim, image_shape=info.image_shape)
            self.likelihood = likelihood
        else:
            (size,) = sizes_of([target], info.factors, "model.target")
            self.classifier = OutputLayer(latent_dim, size)
        self.has_decoder = target is None
        self.learns_from_labels = target is not None
        if not self.is_rectified:
            self.prior_mean = nn.Parameter(torch.zeros(()))
            self.prior_log_sigma = nn.Parameter(torch.zeros(()))

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        if self.target is not None:
            check_labelled(training, self.target)
        return source

    def activate(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """f(x), or log f(x) of softplus, and log α(x)."""
        outputs, logits = self.encoder(images).float().chunk(2, dim=1)
        log_alpha = functional.logsigmoid(bounded(logits, -LIMIT, LIMIT)) + math.log(self.max_alpha)
        if self.is_rectified:
            return outputs.relu(), log_alpha
        return functional.softplus(bounded(outputs, LOWEST, math.inf)).log(), log_alpha

    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        codes, log_alpha = self.activate(images)
        return codes, None if self.is_rectified else 2 * log_alpha

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.likelihood.mean(self._decoded(codes))

    def nll(
        self, codes: Float[Tensor, "batch latent"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x|z) in nats."""
        return self.likelihood.nll(self._decoded(codes), images)

    def _decoded(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.decoder(codes if self.is_rectified else codes.exp()).float()

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        """From the prior; of the log-uniform one, which is improper, between a tenth and ten."""
        if self.is_rectified:
            return (10 ** rng.uniform(-1, 1, (num_codes, self.latent_dim))).astype(np.float32)
        noise = rng.standard_normal((num_codes, self.latent_dim), dtype=np.float32)
        return self.prior_mean.item() + math.exp(self.prior_log_sigma.item()) * noise

    def kl(
        self, values: Float[Tensor, "batch latent"], log_alpha: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch latent"]:
        """KL(p(z|x) ‖ p(z)) of what `activate` returns, in nats."""
        if self.is_rectified:
            return kl_to_log_uniform(log_alpha, largest=self.max_alpha)
        return kl_to_log_normal(values, log_alpha, prior_mean=self.prior_mean, prior_log_sigma=self.prior_log_sigma)

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        values, log_alpha = self.activate(batch.images)
        kl = self.kl(values, log_alpha)
        log_noise = sample_normal(torch.zeros_like(values), 2 * log_alpha)
        codes = values * log_noise.exp() if self.is_rectified else values + log_noise
        task, logged = self._task(codes, batch)
        means = {name: term.mean() for name, term in task.items()} | {"kl": kl.sum(1).mean()}
        loss = weighted_sum(means, dict.fromkeys(task, 1.0) | self.weights_at(batch.step))
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        logged |= {"loss": loss.detach(), **{name: mean.detach() for name, mean in means.items()}}
        logged["kl_latent"] = kl.detach().mean(0)
        is_looked_at = batch.is_logged or batch.step % COVARIANCE_EVERY == 0
        if is_looked_at and not self.is_rectified and len(values) > 1:
            logged["covariance"] = _covariance(values.detach(), log_alpha.detach())
        return logged

    def _task(
        self, codes: Float[Tensor, "batch latent"], batch: Batch
    ) -> tuple[dict[str, Float[Tensor, " batch"]], dict[str, Tensor]]:
        """Loss of each image by name, in nats, and what is logged beside it."""
        if self.target is None:
            return {"reconstruction": self.nll(codes, batch.images)}, {}
        labels = labels_of(batch, self.target)
        logits = self.classifier(codes if self.is_rectified else codes.exp()).float()
        is_right = (logits.detach().argmax(1) == labels).float().mean()
        return {"cross_entropy": functional.cross_entropy(logits, labels, reduction="none")}, {"accuracy": is_right}

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if "covariance" not in means:
            return {}
        return {"total_correlation_gaussian": gaussian_total_correlation(means["covariance"])}

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.parameters()))}


def check_labelled(training: Dataset, target: str) -> None:
    """Raises ValueError where the factor of an image is unknown, or all have the same value."""
    labels = training.space.factors(np.arange(len(training)))[:, training.space.column(target, "model.target")]
    if (labels == UNKNOWN).any():
        raise ValueError(f"model.target={target}: the labels of some images are unknown; choose another factor")
    if labels.min() == labels.max():
        raise ValueError(f"model.target={target} has one value in these images; choose another factor")


def labels_of(batch: Batch, target: str) -> Int[Tensor, " batch"]:
    """The factor's value of each image."""
    space = batch.dataset.space
    labels = space.factors(batch.draw.rows.cpu().numpy())[:, space.column(target, "model.target")]
    return torch.from_numpy(np.ascontiguousarray(labels, np.int64)).to(batch.device)


def _covariance(log_values: Float[Tensor, "batch latent"], log_alpha: Float[Tensor, "batch latent"]) -> Tensor:
    """Of log z, from a batch; that of log f without bias, so that batches can be averaged."""
    count = len(log_values)
    return covariance_of_codes(log_values * (count / (count - 1)) ** 0.5, 2 * log_alpha)
