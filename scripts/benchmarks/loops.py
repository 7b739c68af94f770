"""Seconds per step of the program's own training loop, and of a plain loop over the same modules and images."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from omegaconf import DictConfig
from pytorch_lightning.loggers.logger import DummyLogger
from torch import nn

from disent_runner.assembly import build
from disent_runner.datasets.batches import Batch, BatchSource, Draw
from disent_runner.datasets.data_module import DataModule
from disent_runner.datasets.moved_batches import Moves, Moving
from disent_runner.datasets.transitions import Acting, Transitions
from disent_runner.losses.density_ratio import discriminator_loss, permute_codes
from disent_runner.losses.gaussian import sample_normal
from disent_runner.machine.console import console
from disent_runner.models.abstract_vae import AbstractVAE
from disent_runner.models.base import AbstractModel
from disent_runner.models.factorvae import FactorVAE
from disent_runner.stages.fit import fit

SPARE = 0.2
"""Part of the steps that comes before the clock starts."""


class OneLinearEncoder(nn.Module):
    """So little arithmetic that a loop's own cost shows."""

    def __init__(self, *, image_shape: tuple[int, int, int], num_outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(torch.Size(image_shape).numel(), num_outputs))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class OneLinearDecoder(nn.Module):
    def __init__(self, *, latent_dim: int, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, torch.Size(image_shape).numel()), nn.Unflatten(1, image_shape)
        )

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        return self.layers(codes)


ONE_LINEAR = [
    f"model.{part.lower()}={{_target_: loops.OneLinear{part}, _partial_: true}}" for part in ("Encoder", "Decoder")
]
"""Overrides that put the two in the place of any network; `model.encoder` is replaced, not merged."""


class Clock(DummyLogger):
    """When each row of the training log was written."""

    def __init__(self) -> None:
        super().__init__()
        self.times: dict[int, float] = {}

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self.times[step or 0] = time.perf_counter()


@contextmanager
def bar_without_picture() -> Iterator[None]:
    """The progress bar does its work as on a terminal, and nobody sees it."""
    before = console._file, console._force_terminal
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console._file, console._force_terminal = nowhere, True
        try:
            yield
        finally:
            console._file, console._force_terminal = before


def real_loop(model: AbstractModel, datamodule: DataModule, *, accelerator: str, precision: str) -> float:
    """Seconds per step of `fit` with progress bar, train.csv and checkpoints, from the first row of the log on."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, bar_without_picture():
        fit(
            model,
            datamodule,
            folder=Path(folder),
            seed=0,
            accelerator=accelerator,
            precision=precision,
            loggers=[clock],
        )
    first, *_, last = sorted(clock.times)
    return (clock.times[last] - clock.times[first]) / (last - first)


@final
class DrawnBefore(BatchSource):
    """The draws of all steps, on the device before the first one.

    Where actions lead to, or how images are moved, is asked in each step.
    """

    def __init__(self, source: BatchSource, steps: int, device: torch.device) -> None:
        self._source = source
        self._draws = [[_on(device, source.draw(step, stream)) for step in range(steps)] for stream in (0, 1)]

    def draw(self, step: int, stream: int = 0) -> Draw:
        return self._draws[stream][step]

    def transitions(self, step: int) -> Transitions:
        assert isinstance(self._source, Acting)
        return self._source.transitions(step)

    def moves(self, step: int) -> Moves:
        assert isinstance(self._source, Moving)
        return self._source.moves(step)


def _on(device: torch.device, draw: Draw) -> Draw:
    partners = None if draw.partners is None else draw.partners.to(device)
    return replace(draw, rows=draw.rows.to(device), partners=partners)


def bare_loop(model: AbstractModel, datamodule: DataModule, *, device: torch.device, precision: str) -> float:
    """Seconds per step of the same arithmetic on the same images alone: nothing is logged, shown or saved."""
    with torch.random.fork_rng():
        model.learn(datamodule.training, np.random.default_rng(datamodule.seed))
    model.to(device).train()
    model.configure_optimizers()
    np.random.seed(datamodule.seed)  # noqa: NPY002 - agents draw from it
    dataset, steps = datamodule.training.to(device), datamodule.plan.max_steps
    source, update = DrawnBefore(datamodule.source_for(model), steps, device), _written_out(model)
    begin, start = 0, _now(device)
    for step in range(steps):
        if step == int(SPARE * steps):
            begin, start = step, _now(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            update(Batch(step=step, is_logged=False, source=source, dataset=dataset, device=device))
    return (_now(device) - start) / (steps - begin)


def _written_out(model: AbstractModel) -> Callable[[Batch], object]:
    """The step as a textbook has it; the model's own `update` for a method that is not written out here."""
    optimizers = [*model.optimizer_of.values()]
    if isinstance(model, FactorVAE):
        return partial(_factorvae_step, model, *optimizers)
    if isinstance(model, AbstractVAE) and len(optimizers) == 1:
        return partial(_vae_step, model, *optimizers)
    return model.update


def _vae_step(model: AbstractVAE, optimizer: torch.optim.Optimizer, batch: Batch) -> torch.Tensor:
    inference = model.infer(batch)
    loss = model.reconstruction(inference)
    for weight, term in zip(model.weights().values(), model.regularizers(inference, batch).values(), strict=True):
        loss = loss + weight * term
    optimizer.zero_grad()
    loss.mean().backward()
    optimizer.step()
    return inference.codes.detach()


def _factorvae_step(
    model: FactorVAE, optimizer: torch.optim.Optimizer, of_discriminator: torch.optim.Optimizer, batch: Batch
) -> None:
    codes = _vae_step(model, optimizer, batch)
    with torch.no_grad():
        permuted = permute_codes(sample_normal(*model.encode(batch.second_images)))
    logits = model.discriminator(torch.cat([codes, permuted]))
    of_discriminator.zero_grad()
    discriminator_loss(*logits.split(len(codes))).mean().backward()
    of_discriminator.step()


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def build_run(config: DictConfig) -> tuple[AbstractModel, DataModule]:
    datamodule = build.build_data(config)
    return build.build_model(config, datamodule.dataset.info), datamodule
