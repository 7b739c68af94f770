"""The ground-truth generator with capacity."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.capacity import capacity_gap, linear_schedule
from disent_runner.losses.gaussian import kl_to_standard_normal, sample_normal
from disent_runner.machine.ranges import Count, Names, NonNegative, Positive
from disent_runner.models.abstract_vae import Likelihood
from disent_runner.models.base import AbstractModel, check_capacity_steps, optimise

FIRST_SCALE = 0.1


@final
class CapacityGenerator(AbstractModel):
    """Burgess et al. 2018, section 4.2: -log p(x|z) + γ |KL(q(z|f) ‖ N(0, 1)) - C|, z from the true factors f.

    Every factor is standardised, then scaled, moved and blurred by what is learned: z ~ N(a f + b, s²). The decoder
    sees z alone, and C rises, so that factors come in by how much they help. Factors in `circular` are a point on the
    circle of their period, those in `one_hot` one latent for each value; their parts share a and s, and their KL is the
    sum. a, b and s learn at `posterior_lr`, None: as fast as the decoder. γ outweighs what a factor is worth, so that
    Adam, which divides by both, lets the capacity move between factors slowly.
    """

    learns_from_labels = True

    def __init__(
        self,
        *,
        info: DatasetInfo,
        gamma: NonNegative,
        capacity: NonNegative,
        capacity_start: NonNegative,
        capacity_steps: Count,
        circular: Names,
        one_hot: Names,
        posterior_lr: Positive | None,
        decoder: Callable[..., nn.Module],
        likelihood: Likelihood,
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        unknown = [name for name in (*circular, *one_hot) if name not in info.factors]
        if unknown or not info.factors or set(circular) & set(one_hot):
            raise ValueError(
                f"model.circular and model.one_hot must name different ones of the factors "
                f"{', '.join(info.factors) or 'of the data set, which has none'}; got {list(circular)}, {list(one_hot)}"
            )
        self.gamma = gamma
        self.capacity = capacity
        self.capacity_start = capacity_start
        self.capacity_steps = check_capacity_steps(capacity_steps)
        self.posterior_lr = posterior_lr
        self.factor_names = tuple(info.factors)
        tables = [_features(name, size, info, circular, one_hot) for name, size in info.factors.items()]
        self.widths = [table.shape[1] for table in tables]
        self.latent_dim = sum(self.widths)
        self.register_buffer("features", torch.block_diag(*tables))  # (values of all factors, latent)
        self.features: Tensor
        starts = np.cumsum([0, *info.factors.values()])[:-1]
        self.register_buffer("starts", torch.from_numpy(starts))
        self.starts: Tensor
        self.scale = nn.Parameter(torch.full((len(tables),), FIRST_SCALE))
        self.shift = nn.Parameter(torch.zeros(self.latent_dim))
        self.log_sigma = nn.Parameter(torch.zeros(len(tables)))
        self.decoder = decoder(latent_dim=self.latent_dim, image_shape=info.image_shape)
        self.likelihood = likelihood
        self.optimizer = optimizer

    def posterior(
        self, factors: Int[Tensor, "batch factor"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Mean and log variance of q(z|f) for value indices."""
        standardised = self.features[factors + self.starts].sum(1)
        widths = torch.tensor(self.widths, device=factors.device)
        mean = standardised * self.scale.repeat_interleave(widths) + self.shift
        return mean, (2 * self.log_sigma.repeat_interleave(widths)).expand_as(mean)

    def capacity_at(self, step: int) -> float:
        """C in nats at a step counted from 0."""
        return linear_schedule(step, start=self.capacity_start, end=self.capacity, num_steps=self.capacity_steps)

    def weights(self) -> dict[str, float]:
        return {"capacity_gap": self.gamma}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        factors = torch.from_numpy(batch.dataset.space.factors(batch.draw.rows.cpu().numpy())).to(batch.images.device)
        mean, logvar = self.posterior(factors)
        kl = kl_to_standard_normal(mean, logvar)
        logits = self.decoder(sample_normal(mean, logvar)).float()
        reconstruction = self.likelihood.nll(logits, batch.images).mean()
        capacity = self.capacity_at(batch.step)
        loss = reconstruction + self.weights_at(batch.step)["capacity_gap"] * capacity_gap(kl.sum(1), capacity)
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        parts = [part.sum(1).mean() for part in kl.detach().split(self.widths, dim=1)]
        by_factor = {f"kl_{name}": part for name, part in zip(self.factor_names, parts, strict=True)}
        return {
            "loss": loss.detach(),
            "reconstruction": reconstruction.detach(),
            "capacity": torch.full_like(loss, capacity).detach(),
            **by_factor,
        }

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        kl = torch.stack([means[f"kl_{name}"] for name in self.factor_names]).sum()
        return {"kl": kl, "kl_gap": kl - means["capacity"]}

    def represent(
        self, dataset: Dataset, rows: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        return self.posterior(torch.from_numpy(dataset.space.factors(rows.cpu().numpy())).to(self.device))

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> NoReturn:
        raise ValueError("this model encodes the factors of a data set's rows, not images; use `represent`")

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.likelihood.mean(self.decoder(codes).float())

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        rate = {} if self.posterior_lr is None else {"lr": self.posterior_lr}
        posterior = {"params": [self.scale, self.shift, self.log_sigma], **rate}
        parts = [part for part in (self.decoder, self.likelihood) if isinstance(part, nn.Module)]
        networks = [parameter for part in parts for parameter in part.parameters()]
        return {"model": self.optimizer([{"params": networks}, posterior])}


def _features(
    name: str, size: int, info: DatasetInfo, circular: Sequence[str], one_hot: Sequence[str]
) -> Float[Tensor, "value part"]:
    """Each value as numbers of mean 0 and variance 1 over all values, unless there is one value only."""
    if name in one_hot:
        parts = torch.eye(size)
    elif name in circular:
        angle = 2 * torch.pi * torch.arange(size) / info.periods.get(name, size)
        parts = torch.stack([angle.cos(), angle.sin()], dim=1)
    else:
        parts = torch.arange(size).float()[:, None]
    centred = parts - parts.mean(0)
    return centred / centred.square().mean(0).sqrt().clamp_min(1e-12)
