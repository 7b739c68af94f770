"""What every model is to the runner: one optimisation step at a time, codes from images, images from codes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.machine.ranges import Positive

Schedule = Callable[[torch.optim.Optimizer], LRScheduler]


class AbstractModel(pl.LightningModule, ABC):
    """Counts optimisation steps, keeps what they report on the device, and reads it once per row of the training log.

    Lightning's step is a chunk of ours: it ends where something is logged, saved or stopped, so that nothing but
    arithmetic happens between.
    """

    batch_statistics: ClassVar[bool] = False
    """Whether the loss takes statistics over the batch, so that one image is too few."""
    takes_steps: ClassVar[bool] = True
    """Whether it is trained by optimisation steps; what is not has all it needs after `learn`."""
    has_decoder: bool = True
    """Whether `decode` makes images."""
    learns_from_labels: bool = False
    """Whether its training depends on the factors of images, and not on the images alone."""
    sees_by: ClassVar[str | None] = None
    """The keyword of a run below whose codes and images are its own, where it makes none."""
    environment_steps: int = 0
    """Steps of an environment that an optimisation step takes; 0 for what does not act."""
    latent_dim: int
    """Length of a code."""
    noise_dim: int = 0
    """Length of the standard normal noise that images are decoded with beside the code."""
    categorical: tuple[int, ...] = ()
    """Sizes of the blocks of probabilities that a code begins with, one for each categorical code."""
    parts: Mapping[str, int] = {}
    """Lengths of the parts that a code is made of, in order, by name; none where it is one whole."""

    def __init__(
        self,
        *,
        gradient_clip: Positive | None = None,
        schedule: Schedule | None = None,
        warmup: Mapping[str, Positive | None] | None = None,
    ) -> None:
        """What every training may have; None is without.

        `gradient_clip` is the largest norm of a player's gradient, `schedule` that of each player's learning rate by
        the model's steps, `warmup` the steps over which weights of the loss rise to their value, by the term's name.

        Raises ValueError for what is not positive, and for a schedule that cannot be followed.
        """
        super().__init__()
        if not isinstance(warmup, Mapping | None):
            raise ValueError(
                f"model.warmup must be steps by the names of terms, such as 'model.warmup={{kl: 1000}}', got {warmup!r}"
            )
        steps_of = warmup or {}
        for key, value in {"gradient_clip": gradient_clip, **{f"warmup.{k}": v for k, v in steps_of.items()}}.items():
            if value is not None and not (is_number(value) and value > 0):
                raise ValueError(f"model.{key} must be a positive number or null, got {value!r}")
        if schedule is not None:
            _check_schedule(schedule)
        self.gradient_clip = gradient_clip
        self.schedule = schedule
        self.warmup = {name: steps for name, steps in steps_of.items() if steps is not None}
        self.schedules: list[LRScheduler] = []
        """Those of the optimizers, from the start of training on; none where learning rates stay as they are."""
        self.automatic_optimization = False
        self.step = 0
        """Optimisation steps done."""
        self.interval: list[dict[str, Tensor]] = []
        """What each step since the last row of the training log reported, still on the device."""
        self.stop_requested = False
        """Set from outside (a signal, another thread): training then ends after the step under way."""
        self.parents: dict[str, Any] = {}
        """Which runs it stands on, by the keyword that took each, for its record; they are in no checkpoint of its."""
        self.optimizer_of: dict[str, torch.optim.Optimizer] = {}
        """The optimizers by the names of the players, from the start of training on."""

    @abstractmethod
    def update(self, batch: Batch) -> dict[str, Tensor]:
        """One optimisation step of the model, and of its adversary if it has one.

        Returns detached values to log by name, each a scalar or one number per latent; a matrix is for `derived` alone.
        """

    @abstractmethod
    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """A new optimizer for each player by name, in the order in which checkpoints keep their states."""

    @final
    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        self.optimizer_of = self.new_optimizers()
        optimizers = list(self.optimizer_of.values())
        self.schedules = [] if self.schedule is None else [self.schedule(optimizer) for optimizer in optimizers]
        return optimizers

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        """Where its batches come from: `source`, unless it needs images that share something.

        Raises ValueError for data that it cannot learn from.
        """
        return source

    def check_training(self, training: Dataset) -> None:
        """Raises ValueError for data that `learn` could not learn from: told before what it stands on is trained."""

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        """Takes from the training images what needs no optimisation step; most models take nothing."""

    @abstractmethod
    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        """Mean and log variance of q(z|x); None instead of the variance for point codes."""

    def represent(
        self, dataset: Dataset, rows: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        """What `encode` makes of the images of these rows. A model that encodes their factors does that instead."""
        return self.encode(dataset.gather(rows).to(self.device))

    @abstractmethod
    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        """Images in [0, 1]."""

    def render(
        self, codes: Float[Tensor, "batch latent"], noise: Float[Tensor, "batch noise"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Images of these codes with this noise, in [0, 1]; where there is no noise, those of `decode`."""
        return self.decode(codes)

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        """Codes from the prior, N(0, 1) if nothing else is said."""
        return rng.standard_normal((num_codes, self.latent_dim), dtype=np.float32)

    def check_batch_size(self, batch_size: int) -> None:
        """Raises ValueError when the loss or a network takes statistics over the batch and there is one image."""
        normalised = any(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in self.modules())
        if batch_size < 2 and (self.batch_statistics or normalised):
            what = type(self).__name__ if self.batch_statistics else "a network with batch normalisation"
            raise ValueError(f"dataset.batch_size must be at least 2 for {what}, got {batch_size}")

    def training_step(self, chunk: Iterable[Batch], batch_idx: int) -> None:
        for batch in chunk:
            self.interval.append(self.update(batch))
            for schedule in self.schedules:
                schedule.step()
            self.step = batch.step + 1
            if self.stop_requested:
                break

    def weights(self) -> dict[str, float]:
        """The weights of the loss's terms that a warm-up may have, by name; the reconstruction's is 1."""
        return {}

    def check_weights(self) -> None:
        """Raises ValueError for a weight that is no finite number, and for a warm-up of a term that is not there."""
        weights = self.weights()
        for name, weight in weights.items():
            if not (is_number(weight) and math.isfinite(weight)):
                raise ValueError(f"the weight of the loss term {name} must be a number, got {weight!r}")
        unknown = [str(name) for name in self.warmup if name not in weights]
        if unknown:
            raise ValueError(
                f"model.warmup must name terms of the loss, {', '.join(weights)}; got {', '.join(unknown)}"
            )

    @final
    def weights_at(self, step: int) -> dict[str, float]:
        """The weights at a step: those in their warm-up are on a straight line from 0 to their value."""
        weights = self.weights()
        return weights | {name: weights[name] * min(step / steps, 1.0) for name, steps in self.warmup.items()}

    def take_interval(self) -> dict[str, float]:
        """Means over the steps since the last call, one number per name; a value per latent becomes `name_0`, ….

        Raises FloatingPointError naming the first step and value that is not finite.
        """
        tables = {name: torch.stack(values).float().cpu() for name, values in _by_name(self.interval).items()}
        _check_finite(tables, last_step=self.step)
        self.interval.clear()
        means = {name: table.double().mean(0) for name, table in tables.items()}
        means |= self.derived(means)
        scalars = {name: float(mean) for name, mean in means.items() if mean.ndim == 0}
        vectors = {name: mean.tolist() for name, mean in means.items() if mean.ndim == 1}
        return scalars | {f"{name}_{i}": value for name, values in vectors.items() for i, value in enumerate(values)}

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What else the log shows: functions of an interval's means, which no step need compute."""
        return {}


def _by_name(interval: Sequence[Mapping[str, Tensor]]) -> dict[str, list[Tensor]]:
    columns: dict[str, list[Tensor]] = {}
    for values in interval:
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    return columns


def _check_finite(tables: Mapping[str, Tensor], *, last_step: int) -> None:
    """Rows are steps, those of a rarer value the latest. Names the earliest bad one: a loss term before their sum."""
    failures: list[tuple[int, bool, int, str, float]] = []
    for position, (name, table) in enumerate(tables.items()):
        values = table.flatten(1) if table.ndim > 1 else table[:, None]
        bad = (~values.isfinite()).nonzero()
        if len(bad):
            row, column = bad[0].tolist()
            step = last_step - len(table) + row + 1
            failures.append((step, name == "loss", position, name, values[row, column].item()))
    if failures:
        step, _, _, name, value = min(failures)
        raise FloatingPointError(
            f"{name} became {value} at step {step}; the last checkpoint before it is kept: "
            "try a smaller optimizer.lr or weight, or trainer.precision=32-true"
        )


def optimise(optimizer: torch.optim.Optimizer, loss: Float[Tensor, ""], *, max_norm: float | None = None) -> None:
    """One step of `optimizer` on `loss`; no gradient reaches a parameter that it does not own.

    With `max_norm`, a longer gradient of all its parameters together is scaled to that length.
    """
    owned = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for parameter in owned:
        parameter.grad = None  # what `zero_grad` does, ten times faster
    loss.backward(inputs=owned)
    if max_norm is not None:
        nn.utils.clip_grad_norm_(owned, max_norm)
    optimizer.step()


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ weight · term over the names, which must be the same on both sides (ValueError)."""
    if terms.keys() != weights.keys():
        raise ValueError(f"weights must name exactly the loss terms {sorted(terms)}, got {sorted(weights)}")
    first, *others = weights
    total = weights[first] * terms[first]
    for name in others:
        total = torch.add(total, terms[name], alpha=weights[name])
    return total


def is_number(value: Any) -> bool:
    """Whether it is what a config means by a number: neither text nor true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_schedule(schedule: Schedule) -> None:
    """Raises ValueError unless an optimizer can follow it: for its first step, and with no number below 0."""
    settings = getattr(schedule, "keywords", {})
    negative = [f"schedule.{key}={value}" for key, value in settings.items() if is_number(value) and not value >= 0]
    if negative:
        raise ValueError(f"{', '.join(negative)}: must be 0 or more")
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(()))], lr=1.0)
    try:
        followed = schedule(optimizer)
        optimizer.step()
        followed.step()
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"schedule cannot be followed with {settings}: {error}") from error


def check_capacity_steps(capacity_steps: Any) -> int:
    if not (is_number(capacity_steps) and 1 <= capacity_steps < math.inf):
        raise ValueError(
            f"model.capacity_steps is the length of the schedule and must be 1 or more, got {capacity_steps!r}; "
            f"for the same capacity from the start set model.capacity_start"
        )
    return int(capacity_steps)


def check_latent_dim(latent_dim: Any) -> int:
    if not isinstance(latent_dim, int) or latent_dim < 1:
        raise ValueError(f"model.latent_dim must be a whole number of at least 1, got {latent_dim!r}")
    return latent_dim
