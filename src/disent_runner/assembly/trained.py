"""A finished run in a notebook: its model as functions of arrays and words, its config, its numbers."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from hydra.errors import InstantiationException
from jaxtyping import Float
from omegaconf import DictConfig, open_dict

from disent_runner.assembly import build
from disent_runner.assembly.conf import CONF
from disent_runner.assembly.mistakes import in_one_line
from disent_runner.assembly.recall import with_files_as_they_are
from disent_runner.assembly.recorded import recorded_config
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.symbols.phrases import parse
from disent_runner.datasets.symbols.recombinations import OPERATORS
from disent_runner.models.base import AbstractModel
from disent_runner.representations.requirements import require_at_least
from disent_runner.representations.symbols import Symbols, symbols_of
from disent_runner.runs import scores
from disent_runner.runs.checkpoints import load_trained
from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.record import named_record, trained_info
from disent_runner.runs.train_log import read_train_log

ROUNDING = 1e-6
"""How far beyond 0 or 1 a float of an image may be."""


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """One run: images are (N, C, H, W), codes (N, D), both arrays or tensors, and NumPy arrays where they come back.

    Images given are floats from 0 to 1, bytes or booleans, those that come back floats.
    """

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

    @property
    def symbols(self) -> Symbols:
        """What it knows of symbols, as functions of arrays. ValueError for a model that was taught none."""
        symbols = symbols_of(self.model)
        if symbols is None:
            raise ValueError(f"{self.folder}: {self._kind} was taught no symbols; take a run of scan or the like")
        return symbols

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the values that concepts are made of are called, as `imagine` takes them: `red wall`, `hat`."""
        vocabulary = self.symbols.vocabulary
        return vocabulary.names[: vocabulary.num_values]

    @torch.no_grad()
    def encode(self, images: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Mean and log variance (nats) of q(z|x), each (N, D); None for the variance of point codes.

        ValueError for images of another shape than the training's, of another kind of number, or out of range.
        """
        mean, logvar = self.model.encode(self._tensor(checked_images(images, self.info.image_shape)))
        return mean.cpu().numpy(), None if logvar is None else logvar.cpu().numpy()

    @torch.no_grad()
    def decode(self, codes: Any) -> np.ndarray:
        """Mean images of p(x|z). ValueError for codes of another length, or that are no finite numbers."""
        return self.model.decode(self._tensor(checked_codes(codes, self.model.latent_dim))).cpu().numpy()

    def sample(self, num_images: int, *, seed: int = 0) -> np.ndarray:
        """Images decoded from codes of the model's prior."""
        return self.decode(self.model.sample_codes(num_images, np.random.default_rng(seed)))

    def imagine(self, phrase: str, num_images: int = 16, *, seed: int = 0) -> np.ndarray:
        """Images of a concept, "red wall, hat", or of what "red wall AND hat" comes to, by its symbols.

        Each is decoded from a code of q(z|y). ValueError in one line for a phrase that means nothing.
        """
        symbols = self.symbols
        concept = parse(_text("phrase", phrase), symbols.vocabulary).result
        return self._images(symbols.infer(symbols.vocabulary.encode(concept)), num_images, seed)

    def describe(self, images: Any) -> np.ndarray:
        """p(y|z) of each of `attributes`, (N, attribute), z the mean of q(z|x); a synonym counts as what it means."""
        symbols = self.symbols
        return symbols.vocabulary.without_synonyms(symbols.describe(self.encode(images)[0]))

    def recombine(self, first: str, operator: str, second: str, num_images: int = 16, *, seed: int = 0) -> np.ndarray:
        """Images of what the model's operator AND, IN COMMON or IGNORE makes of the codes of two concepts.

        ValueError in one line where the operator does not take these concepts, and for a model without operators.
        """
        symbols = self.symbols
        if symbols.recombine is None:
            raise ValueError(
                f"{self.folder}: {self._kind} was taught no operators; a run that stands on it learns "
                f"them: disent-run model=scan concepts.run={self.folder}, of the same data set"
            )
        names = [one.name for one in OPERATORS]
        if operator not in names:
            raise ValueError(f"operator must be {', '.join(names[:-1])} or {names[-1]}, got {operator!r}")
        said = parse(f"{_text('first', first)} {operator} {_text('second', second)}", symbols.vocabulary)
        assert said.second is not None  # with an operator
        one, other = (symbols.infer(symbols.vocabulary.encode(concept)) for concept in (said.first, said.second))
        return self._images(symbols.recombine(np.array([names.index(operator)]), *one, *other), num_images, seed)

    def dataset(self) -> Dataset:
        """The data that it was trained on, opened (or rendered) anew."""
        return build.build_data(with_files_as_they_are(self.config.copy())).dataset

    @property
    def _kind(self) -> str:
        """What the model was called where it was chosen."""
        return str(self.config.run.get("model_name") or type(self.model).__name__)

    def _images(self, posterior: tuple[np.ndarray, np.ndarray], num_images: int, seed: int) -> np.ndarray:
        """Decoded from so many codes of one posterior, mean and log variance (1, D)."""
        require_at_least("imagine", 1, num_images=num_images)
        mean, logvar = posterior
        noise = np.random.default_rng(seed).standard_normal((num_images, mean.shape[1]), dtype=np.float32)
        return self.decode(mean + np.exp(logvar / 2) * noise)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values).to(self.model.device)


def checked_images(given: Any, image_shape: tuple[int, int, int]) -> Float[np.ndarray, "batch channel height width"]:
    """Images as models take them: float32 from 0 to 1. Bytes are what their 255 levels mean, as in a data set's file.

    ValueError for everything else, which would be encoded without a word.
    """
    images = _numbers("images", given)
    if images.ndim != 4 or images.shape[1:] != tuple(image_shape):
        expected = ", ".join(map(str, image_shape))
        raise ValueError(f"images have shape {images.shape}, expected (N, {expected}): N, channels, height, width")
    if images.dtype == np.uint8:
        if images.max(initial=0) == 1:
            raise ValueError("images are bytes of 0 and 1 only, 255 is white; give images.astype(bool)")
        return images.astype(np.float32) / 255
    if images.dtype != np.bool_ and images.dtype.kind != "f":
        raise ValueError(f"images are {images.dtype}, expected uint8, bool or floats from 0 to 1")
    is_wrong = ~((images >= -ROUNDING) & (images <= 1 + ROUNDING))  # NaN too
    if is_wrong.any():
        raise ValueError(f"images hold {images[is_wrong][0]}, expected uint8, bool or floats from 0 to 1")
    return images.astype(np.float32)


def checked_codes(given: Any, latent_dim: int) -> Float[np.ndarray, "batch latent"]:
    codes = _numbers("codes", given)
    if codes.ndim != 2 or codes.shape[1] != latent_dim:
        raise ValueError(f"codes have shape {codes.shape}, expected (N, {latent_dim})")
    with np.errstate(over="ignore"):
        codes = codes.astype(np.float32)
    if not np.isfinite(codes).all():
        raise ValueError(f"codes hold {codes[~np.isfinite(codes)][0]}, expected finite numbers")
    return codes


def _text(what: str, given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{what} is {type(given).__name__}, expected text such as 'red wall'")
    return given


def _numbers(what: str, given: Any) -> np.ndarray:
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu()
        given = given.float().numpy() if given.is_floating_point() else given.numpy()
    if np.ma.is_masked(given):
        raise ValueError(f"{what} are a masked array; fill what is masked, or leave it out")
    array = np.asarray(given)
    if array.dtype.kind not in "buif":
        raise ValueError(f"{what} are {array.dtype}, expected numbers")
    return array


def load_run(path: str, *, device: str, trust: bool) -> TrainedRun:
    """See `disent_runner.load`."""
    path = os.path.expanduser(path)  # noqa: PTH111 - pathlib raises where there is no such home
    folder = run_folder_of(path)
    config = recorded_config(folder, trust=trust)
    config.trainer.compile = False
    with open_dict(config):
        config.trust = trust
    try:
        info = trained_info(named_record(folder)["run"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}: the part `run` of config.yaml is damaged ({error!r})") from None
    try:
        model = build.build_model(config, info, folder=folder)
    except (InstantiationException, ValueError) as error:
        said = in_one_line(error, CONF)
        raise ValueError(said if said.startswith(str(folder)) else f"{folder}: {said}") from None
    load_trained(model, folder, checkpoint=path)
    return TrainedRun(folder, config, info, model.to(device).eval())
