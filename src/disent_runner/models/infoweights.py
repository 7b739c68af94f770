"""Information in weights."""

import math
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, final

import numpy as np
import torch
from annotated_types import Gt, Le
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.grouped_batches import sizes_of
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.bounds import bounded
from disent_runner.losses.gaussian import kl_between_normals
from disent_runner.losses.multiplicative_noise import kl_to_log_uniform, log_normal_variance
from disent_runner.machine.ranges import Latents, NonNegative, OneOf, Text
from disent_runner.models.base import AbstractModel, check_latent_dim, is_number, optimise, weighted_sum
from disent_runner.models.infodropout import LIMIT, check_labelled
from disent_runner.networks.noisy_linear import NoisyLinear

NOISES = ("lognormal", "gaussian")
LARGEST_ALPHA = 3.0
FIRST_LOGIT = -3.0
"""Of α / α_max."""
FIRST_SHARE = -3.0
"""Logarithm of a weight's first σ over the standard deviation of its first mean."""


@final
class InfoWeights(AbstractModel):
    """Achille & Soatto 2018b, eq. 3: cross-entropy + β I(w; D) / N of a classifier with noise on its weights, N images.

    Two layers with `latent_dim` rectified units between, which are the codes, tell the value of the factor `target`
    (None: the first), or with `random_labels` one of as many values, drawn for each image when training starts and
    kept. I(w; D) is bounded by KL(q(w|D) ‖ p(w)): of `lognormal` noise, which multiplies weights, to the log-uniform
    prior, where it is 0 at α = `max_alpha`; of `gaussian` noise, which is added, to N(0, λ²) with a λ learned for each
    layer. The second is a bound with all its constants; the first is one up to a constant for each weight.
    """

    has_decoder = False
    learns_from_labels = True

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        target: Text | None,
        random_labels: bool,
        noise: Annotated[str, OneOf(*NOISES)],
        beta: NonNegative,
        max_alpha: Annotated[float, Gt(0), Le(LARGEST_ALPHA)],
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        if noise not in NOISES:
            raise ValueError(f"model.noise must be {' or '.join(NOISES)}, got {noise!r}")
        if not (is_number(max_alpha) and 0 < max_alpha <= LARGEST_ALPHA):
            raise ValueError(f"model.max_alpha must be above 0 and at most {LARGEST_ALPHA}, got {max_alpha!r}")
        if not info.factors:
            raise ValueError(f"model=infoweights needs a factor to tell, {info.name} has none; choose another data set")
        self.target = next(iter(info.factors)) if target is None else target
        (self.num_labels,) = sizes_of([self.target], info.factors, "model.target")
        self.latent_dim = check_latent_dim(latent_dim)
        self.random_labels = random_labels
        self.is_multiplied = noise == "lognormal"
        self.beta = beta
        self.max_alpha = max_alpha
        self.optimizer = optimizer
        self.register_buffer("labels", torch.zeros(info.num_images, dtype=torch.int64))
        self.labels: Tensor
        """Of each training image."""
        self.hidden = self._layer(math.prod(info.image_shape), latent_dim)
        self.output = self._layer(latent_dim, self.num_labels)
        if not self.is_multiplied:
            self.prior_log_sigma = nn.Parameter(torch.stack([layer.mean.detach().std().log() for layer in self.layers]))

    @property
    def layers(self) -> tuple[NoisyLinear, NoisyLinear]:
        return self.hidden, self.output

    def _layer(self, num_inputs: int, num_outputs: int) -> NoisyLinear:
        first = FIRST_LOGIT if self.is_multiplied else FIRST_SHARE + math.log(2 / num_inputs) / 2
        return NoisyLinear(num_inputs, num_outputs, variance=self._variance, first_noise=first)

    def _log_alpha(self, noise: Float[Tensor, "input output"]) -> Float[Tensor, "input output"]:
        return functional.logsigmoid(bounded(noise, -LIMIT, LIMIT)) + math.log(self.max_alpha)

    def _variance(
        self, mean: Float[Tensor, "input output"], noise: Float[Tensor, "input output"]
    ) -> Float[Tensor, "input output"]:
        if self.is_multiplied:
            return log_normal_variance(mean, self._log_alpha(noise))
        return (2 * bounded(noise, -LIMIT, LIMIT)).exp()

    def information(self) -> Float[Tensor, ""]:
        """KL(q(w|D) ‖ p(w)) of all weights, in nats."""
        if self.is_multiplied:
            costs = [kl_to_log_uniform(self._log_alpha(layer.noise), largest=self.max_alpha) for layer in self.layers]
        else:
            costs = [
                kl_between_normals(
                    (layer.mean, 2 * bounded(layer.noise, -LIMIT, LIMIT)),
                    (torch.zeros_like(layer.mean), (2 * log_sigma).expand_as(layer.mean)),
                )
                for layer, log_sigma in zip(self.layers, self.prior_log_sigma, strict=True)
            ]
        return torch.stack([cost.sum() for cost in costs]).sum()

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        """The labels. ValueError where some are unknown, or all the same."""
        check_labelled(training, self.target)
        column = training.space.column(self.target, "model.target")
        labels = training.space.factors(np.arange(len(training)))[:, column]
        if self.random_labels:
            labels = rng.integers(self.num_labels, size=len(training))
        self.labels.copy_(torch.from_numpy(np.ascontiguousarray(labels)))

    def classify(
        self, images: Float[Tensor, "batch channel height width"], *, is_noisy: bool
    ) -> Float[Tensor, "batch label"]:
        """Logits of the labels, for the mean weights or with their noise."""
        return self.output(self._hidden(images, is_noisy=is_noisy), is_noisy=is_noisy)

    def _hidden(
        self, images: Float[Tensor, "batch channel height width"], *, is_noisy: bool
    ) -> Float[Tensor, "batch latent"]:
        return self.hidden(2 * images.flatten(1) - 1, is_noisy=is_noisy).relu()

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return self._hidden(images, is_noisy=False), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> NoReturn:
        raise ValueError("this model tells labels of images and has no decoder")

    def weights(self) -> dict[str, float]:
        return {"information": self.beta}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        labels = self.labels[batch.draw.rows.to(self.labels.device)]
        logits = self.classify(batch.images, is_noisy=True)
        means = {
            "cross_entropy": functional.cross_entropy(logits, labels),
            "information": self.information() / len(self.labels),
        }
        loss = weighted_sum(means, {"cross_entropy": 1.0, **self.weights_at(batch.step)})
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        logged = {"loss": loss.detach(), "accuracy": _accuracy(logits.detach(), labels)}
        logged |= {name: mean.detach() for name, mean in means.items()}
        if batch.is_logged:
            with torch.no_grad():
                logged["accuracy_without_noise"] = _accuracy(self.classify(batch.images, is_noisy=False), labels)
        return logged

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.parameters()))}


def _accuracy(logits: Float[Tensor, "batch label"], labels: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
    return (logits.argmax(1) == labels).float().mean()
