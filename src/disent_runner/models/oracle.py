"""The factors themselves as the representation."""

from typing import NoReturn, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.models.abstract_baseline import AbstractBaseline


@final
class Oracle(AbstractBaseline):
    """The row "ground truth" of Higgins et al. 2017, table 1: a latent for each factor, its value scaled to [0, 1]."""

    has_decoder = False

    def __init__(self, *, info: DatasetInfo) -> None:
        super().__init__()
        if not info.factors:
            raise ValueError(f"the oracle needs ground-truth factors, {info.name} has none; choose another data set")
        self.latent_dim = len(info.factors)

    def represent(self, dataset: Dataset, rows: Int[Tensor, " batch"]) -> tuple[Float[Tensor, "batch latent"], None]:
        values = dataset.space.factors(rows.cpu().numpy())
        if (values == UNKNOWN).any():
            raise ValueError("the oracle needs every label, some images have unknown ones; choose another data set")
        largest = np.maximum(np.array(dataset.space.shape) - 1, 1)
        return torch.from_numpy((values / largest).astype(np.float32)), None

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> NoReturn:
        raise ValueError("the oracle encodes the factors of a data set's rows, not images; use `represent`")

    def decode(self, codes: Float[Tensor, "batch latent"]) -> NoReturn:
        raise ValueError("the oracle has no decoder")
