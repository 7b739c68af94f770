"""The factors themselves as the representation."""

from collections.abc import Mapping
from itertools import combinations
from typing import Annotated, NoReturn, final

import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.machine.ranges import OneOf
from disent_runner.models.abstract_baseline import AbstractBaseline

FEWEST_CYCLIC: Mapping[str, int] = {"values": 0, "circles": 1, "sums": 2}
"""Factors that each code needs which are back where they were after some steps."""


@final
class Oracle(AbstractBaseline):
    """The row "ground truth" of Higgins et al. 2017, table 1: a latent for each factor, its value scaled to [0, 1].

    With `code`=circles each factor that the data set says is cyclic has the cosine and the sine of its angle instead,
    before the others: what Higgins et al. 2018 (arXiv 1812.02230) define as linearly disentangled. With sums each two
    cyclic factors of angles a and b have e^{i(a + b)} and e^{i(a - b)} in their place: the groups of both still act
    linearly, but on the same planes.
    """

    has_decoder = False

    def __init__(self, *, info: DatasetInfo, code: Annotated[str, OneOf(*FEWEST_CYCLIC)] = "values") -> None:
        super().__init__()
        if not info.factors:
            raise ValueError(f"the oracle needs ground-truth factors, {info.name} has none; choose another data set")
        if code not in FEWEST_CYCLIC:
            raise ValueError(f"model.code must be {', '.join(FEWEST_CYCLIC)}, got {code!r}")
        self.largest = np.maximum(np.array([*info.factors.values()]) - 1, 1)
        self.periods = {list(info.factors).index(name): period for name, period in info.periods.items()}
        if len(self.periods) < FEWEST_CYCLIC[code]:
            raise ValueError(
                f"model.code={code} needs at least {FEWEST_CYCLIC[code]} of the factors to be cyclic; of"
                f" {', '.join(info.factors)} of {info.name} got {', '.join(info.periods) or 'none'};"
                " use model.code=values, or another data set, such as dataset=shapes3d_rendered"
            )
        self.code = code
        self.latent_dim = self._codes(np.zeros((1, len(info.factors)), dtype=np.int64)).shape[1]

    def represent(self, dataset: Dataset, rows: Int[Tensor, " batch"]) -> tuple[Float[Tensor, "batch latent"], None]:
        values = dataset.space.factors(rows.cpu().numpy())
        if (values == UNKNOWN).any():
            raise ValueError("the oracle needs every label, some images have unknown ones; choose another data set")
        return torch.from_numpy(self._codes(values).astype(np.float32)), None

    def _codes(self, values: Integer[np.ndarray, "batch factor"]) -> Float[np.ndarray, "batch latent"]:
        scaled = values / self.largest
        if self.code == "values":
            return scaled
        angles = [2 * np.pi * values[:, column] / period for column, period in self.periods.items()]
        if self.code == "sums":
            angles = [angle for first, second in combinations(angles, 2) for angle in (first + second, first - second)]
        circles = [part(angle) for angle in angles for part in (np.cos, np.sin)]
        return np.column_stack([*circles, np.delete(scaled, [*self.periods], axis=1)])

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> NoReturn:
        raise ValueError("the oracle encodes the factors of a data set's rows, not images; use `represent`")

    def decode(self, codes: Float[Tensor, "batch latent"]) -> NoReturn:
        raise ValueError("the oracle has no decoder")
