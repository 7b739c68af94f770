"""A finished run in a notebook: its model as functions of arrays, its config, its numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from omegaconf import DictConfig

from disent_runner.assembly import build
from disent_runner.assembly.recall import recorded_config, with_files_as_they_are
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.models.base import AbstractModel
from disent_runner.runs import scores
from disent_runner.runs.checkpoints import load_trained
from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.record import read_record, trained_info
from disent_runner.runs.train_log import read_train_log


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """One run: images are (N, C, H, W) in [0, 1], codes (N, D), both NumPy arrays."""

    folder: Path
    config: DictConfig
    info: DatasetInfo
    model: AbstractModel
    """in evaluation mode"""

    @property
    def step(self) -> int:
        """Optimisation steps that the model has seen."""
        return self.model.step

    @property
    def metrics(self) -> dict[str, float]:
        """Value of each number by its name: those of posterior means and all factors at the model's step."""
        return scores.numbers(self.folder, step=self.step)

    @property
    def table(self) -> pd.DataFrame:
        """metrics.json: one row per number, with how it was made."""
        return pd.DataFrame([scores.row_of(score) for score in scores.read_scores(self.folder)])

    @property
    def train_log(self) -> pd.DataFrame:
        """train.csv: loss terms by optimisation step. Empty where nothing was trained by steps."""
        return pd.DataFrame(read_train_log(self.folder))

    @torch.no_grad()
    def encode(self, images: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Mean and log variance (nats) of q(z|x), each (N, D); None for the variance of point codes."""
        mean, logvar = self.model.encode(self._tensor(images))
        return mean.cpu().numpy(), None if logvar is None else logvar.cpu().numpy()

    @torch.no_grad()
    def decode(self, codes: Any) -> np.ndarray:
        """Mean images of p(x|z)."""
        return self.model.decode(self._tensor(codes)).cpu().numpy()

    def sample(self, num_images: int, *, seed: int = 0) -> np.ndarray:
        """Images decoded from codes of the model's prior."""
        return self.decode(self.model.sample_codes(num_images, np.random.default_rng(seed)))

    def dataset(self) -> Dataset:
        """The data that it was trained on, opened (or rendered) anew."""
        return build.build_data(with_files_as_they_are(self.config.copy())).dataset

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.float32), device=self.model.device)


def load_run(path: str, *, device: str) -> TrainedRun:
    """See `disent_runner.load`."""
    folder = run_folder_of(path)
    config = recorded_config(folder)
    config.trainer.compile = False
    info = trained_info(read_record(folder)["run"])
    model = build.build_model(config, info)
    load_trained(model, folder, checkpoint=path)
    return TrainedRun(folder, config, info, model.to(device).eval())
