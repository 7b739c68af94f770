"""The one LightningDataModule: loads a data set and hands its batches out in chunks of steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from disent_runner.datasets.batches import Batch, BatchSource, UniformBatches, WeightedBatches
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.labels.factors import Factors


@dataclass(frozen=True)
class StepPlan:
    """Where a run of `max_steps` optimisation steps logs and saves. Chunks never cross such a step."""

    max_steps: int
    log_every: int
    checkpoint_every: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"trainer.{name} must be a positive whole number, got {value!r}")

    def is_logged(self, step: int) -> bool:
        """Whether a row of the training log ends with the `step`-th step, counted from 1."""
        return step % self.log_every == 0 or step == self.max_steps

    def is_saved(self, step: int) -> bool:
        return step % self.checkpoint_every == 0 or step == self.max_steps

    def chunks(self, start: int) -> Iterator[range]:
        """The steps from `start` to the end, cut after each step that logs or saves."""
        while start < self.max_steps:
            stop = min(
                (start // self.log_every + 1) * self.log_every,
                (start // self.checkpoint_every + 1) * self.checkpoint_every,
                self.max_steps,
            )
            yield range(start, stop)
            start = stop


class DataModule(pl.LightningDataModule):
    """Batches of one data set, each a function of (seed, step), so that a resumed run sees what an unbroken one sees.

    `split(space)` gives a mask of the images that training leaves out. `joint(space)` gives the probability of each
    image that is left, for training on a non-uniform factor distribution.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        split: Callable[[Factors], np.ndarray] | None = None,
        joint: Callable[[Factors], np.ndarray] | None = None,
        batch_size: int,
        replacement: bool = False,
        dequantize: bool = False,
        seed: int,
        plan: StepPlan,
        on_device: bool,
    ) -> None:
        super().__init__()
        self.plan = plan
        self.dataset = dataset
        """All images, those that are held out too."""
        self.held_out = np.zeros(len(dataset), bool) if split is None else split(dataset.space)
        """Mask of the images that training does not see."""
        self.training = dataset.take(np.flatnonzero(~self.held_out))
        self.on_device = on_device
        self.dequantize = dequantize
        self.batch_size = batch_size
        self.seed = seed
        self.source: BatchSource
        self.weights = None if joint is None else joint(dataset.space)
        """Probability of each image of `dataset`, as if none were held out; None where all are equally likely."""
        if joint is None:
            self.source = UniformBatches(
                num_images=len(self.training), batch_size=batch_size, seed=seed, replacement=replacement
            )
        else:
            self.source = WeightedBatches(
                probabilities=joint(self.training.space),
                batch_size=batch_size,
                seed=seed,
                num_images=len(self.training),
            )

    def source_for(self, model: Any) -> BatchSource:
        """Where the batches of this model come from. ValueError for data that it cannot learn from."""
        source = model.batches(self.training, self.source, batch_size=self.batch_size, seed=self.seed)
        if self.weights is not None and source is not self.source:
            raise ValueError(f"joint: {type(model).__name__} chooses its own groups of images; take joint=null with it")
        return source

    def train_dataloader(self) -> Iterator[Iterator[Batch]]:
        """One item per chunk: an iterator over the batches of its steps, from the model's step on."""
        if self.trainer is None:
            raise RuntimeError(
                "DataModule gives batches to a running Trainer only: call trainer.fit(model, datamodule)"
            )
        device = self.trainer.strategy.root_device
        dataset = self.training.to(device) if self.on_device else self.training
        model: Any = self.trainer.lightning_module
        source = self.source_for(model)
        return (self._batches(steps, source, dataset, device) for steps in self.plan.chunks(model.step))

    def _batches(self, steps: range, source: BatchSource, dataset: Dataset, device: torch.device) -> Iterator[Batch]:
        for step in steps:
            yield Batch(
                step=step,
                is_logged=self.plan.is_logged(step + 1),
                source=source,
                dataset=dataset,
                device=device,
                noise_seed=self.seed if self.dequantize else None,
            )
