"""Seconds per step of the program's own training loop, and of a plain loop over the same modules and images."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.loggers.logger import DummyLogger
from torch import nn

from disent_runner import build
from disent_runner.console import console
from disent_runner.datasets.data_module import DataModule
from disent_runner.fit import fit
from disent_runner.losses.density_ratio import discriminator_loss, permute_codes
from disent_runner.losses.gaussian import sample_normal
from disent_runner.models.abstract_vae import AbstractVAE

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
    with Path(os.devnull).open("w") as nowhere:
        console._file, console._force_terminal = nowhere, True
        try:
            yield
        finally:
            console._file, console._force_terminal = before


def real_loop(model: AbstractVAE, datamodule: DataModule, *, accelerator: str, precision: str) -> float:
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


def bare_loop(model: AbstractVAE, datamodule: DataModule, *, device: torch.device, precision: str) -> float:
    """Seconds per step of the same arithmetic on the same images alone: nothing is logged, shown or saved."""
    model.to(device).train()
    dataset, source, steps = datamodule.dataset.to(device), datamodule.source, datamodule.plan.max_steps
    optimizers = model.configure_optimizers()
    first, second = (
        torch.stack([source.indices(step, stream) for step in range(steps)]).to(device) for stream in (0, 1)
    )
    rounded = precision == "bf16-mixed"
    begin, start = 0, _now(device)
    for step in range(steps):
        if step == int(SPARE * steps):
            begin, start = step, _now(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=rounded):
            codes = _step(model, optimizers[0], dataset.gather(first[step]), step)
            if len(optimizers) > 1:
                _discriminator_step(model, optimizers[1], codes, dataset.gather(second[step]))
    return (_now(device) - start) / (steps - begin)


def _step(model: AbstractVAE, optimizer: torch.optim.Optimizer, images: torch.Tensor, step: int) -> torch.Tensor:
    inference = model.infer(images)
    loss = model.likelihood.nll(inference.logits, images)
    for weight, term in zip(model.weights().values(), model.regularizers(inference, step).values(), strict=True):
        loss = loss + weight * term
    optimizer.zero_grad()
    loss.mean().backward()
    optimizer.step()
    return inference.codes.detach()


def _discriminator_step(
    model: Any, optimizer: torch.optim.Optimizer, codes: torch.Tensor, images: torch.Tensor
) -> None:
    with torch.no_grad():
        permuted = permute_codes(sample_normal(*model.encode(images)))
    logits = model.discriminator(torch.cat([codes, permuted]))
    optimizer.zero_grad()
    discriminator_loss(*logits.split(len(codes))).mean().backward()
    optimizer.step()


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def build_run(config: Any) -> tuple[AbstractVAE, DataModule]:
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    assert isinstance(model, AbstractVAE)
    return model, datamodule
