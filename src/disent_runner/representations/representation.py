"""Codes of a data set beside its ground-truth factors: what every metric gets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.representations.capsules import Capsules
from disent_runner.representations.control import Control
from disent_runner.representations.playing import Playing
from disent_runner.representations.questions import Questions
from disent_runner.representations.symbols import Symbols

LARGEST_LOGVAR = 700.0
"""The variance, and so the KL divergence, of a larger one is beyond double precision."""
POINT_CODES = "representation=sampled needs the posterior's logvar, got point codes; use mean"


@dataclass(frozen=True)
class Autoencoder:
    """The model behind codes, as functions of arrays; row i is image i of the representation."""

    images: Callable[[np.ndarray], np.ndarray]
    """rows (n,) -> their images (n, C, H, W) float32 in [0, 1]"""
    decode: Callable[[np.ndarray], np.ndarray]
    """codes (n, D) -> images (n, C, H, W) float32 in [0, 1]"""
    jacobian: Callable[[np.ndarray], np.ndarray]
    """codes (n, D) -> derivatives of `decode` (n, C·H·W, D) float32"""
    prior: Callable[[int, np.random.Generator], np.ndarray]
    """number of codes, random generator -> codes (n, D) from the model's prior"""
    nll: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    """codes (n, D), rows (n,) -> -log p(x|z) in nats (n,); None for a model without a likelihood"""
    render: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    """codes (n, D), noise (n, `noise_dim`) -> images (n, C, H, W) float32 in [0, 1]; None for a model without noise"""
    noise_dim: int = 0
    """length of the standard normal noise that images are decoded with beside the code"""


@dataclass(frozen=True)
class Representation:
    """Codes of N images with the value index of each of their K factors.

    `codes` (N, D) float: posterior means, or any code. `factors` (N, K) int, UNKNOWN where a label is missing; K may be
    0. `factor_sizes` K numbers of values; the grid may be incomplete (N < product). `logvar` (N, D): log variance of
    q(z|x) in nats, None for point codes. `factor_names` K names. `periods`: for a cyclic factor, by name, after how
    many steps of its value it is back where it was. `autoencoder`: None where only codes are known. `categorical`:
    sizes of the blocks of probabilities that the codes begin with, one for each categorical code. `parts`: lengths of
    the parts that codes are made of, in order, by name; none where they are one whole. `weights`: (N,)
    probability of each image under the joint that the model was trained on, None where all are equally likely.
    `symbols`: what the model knows of them, None for one of images alone. `control`: what it does to its features by
    acting, None for one that does not. `playing`: how it acts for rewards, None for what is no agent. `capsules`:
    what is known of their movement, None for a model without. `questions`: what it was asked about images, None for
    one that was not. `on_labelled`: told how many images have all the labels that a metric needs.

    Raises:
        ValueError: arrays that do not belong together, codes that are not finite, log variances that are not or whose
            variance is not, a factor value outside its size, or weights that are negative, not finite or all 0.
    """

    codes: np.ndarray
    factors: np.ndarray
    factor_sizes: tuple[int, ...]
    logvar: np.ndarray | None = None
    factor_names: tuple[str, ...] = ()
    periods: Mapping[str, int] = field(default_factory=dict)
    autoencoder: Autoencoder | None = None
    categorical: tuple[int, ...] = ()
    parts: Mapping[str, int] = field(default_factory=dict)
    weights: np.ndarray | None = None
    symbols: Symbols | None = None
    control: Control | None = None
    playing: Playing | None = None
    capsules: Capsules | None = None
    questions: Questions | None = None
    on_labelled: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        if not self.factor_names:
            object.__setattr__(self, "factor_names", tuple(f"factor_{k}" for k in range(len(self.factor_sizes))))
        self._check_shapes()
        self._check_factor_values()
        _check_finite("codes", self.codes)
        if self.logvar is not None:
            _check_finite("logvar", self.logvar)
            if self.logvar.max() > LARGEST_LOGVAR:
                raise ValueError(
                    f"logvar must be log variances in nats, up to {LARGEST_LOGVAR}, got {self.logvar.max()}"
                )
        if self.weights is not None:
            check_weights(self.weights, num_images=len(self.codes))

    def with_factors(self, names: Sequence[str]) -> "Representation":
        """The same images with these factors only, in this order; the others still vary. ValueError for no such one."""
        unknown = [name for name in names if name not in self.factor_names]
        if unknown or len(set(names)) < len(names):
            raise ValueError(f"factors must be some of {', '.join(self.factor_names)}, got [{', '.join(names)}]")
        columns = [self.factor_names.index(name) for name in names]
        sizes = tuple(self.factor_sizes[column] for column in columns)
        return replace(self, factors=self.factors[:, columns], factor_sizes=sizes, factor_names=tuple(names))

    def sampled(self, rng: np.random.Generator) -> "Representation":
        """A code drawn from each posterior instead of its mean. ValueError for point codes."""
        if self.logvar is None:
            raise ValueError(POINT_CODES)
        noise = rng.standard_normal(self.codes.shape, dtype=np.float32)
        with np.errstate(over="ignore"):
            codes = self.codes + np.exp(self.logvar / 2) * noise
        if not np.isfinite(codes).all():
            raise ValueError(
                f"representation=sampled needs codes that {codes.dtype} can hold, got logvar up to {self.logvar.max()}"
            )
        return replace(self, codes=codes, logvar=None)

    def _check_shapes(self) -> None:
        if self.codes.ndim != 2 or self.factors.ndim != 2:
            raise ValueError(
                f"codes must be (N, D) and factors (N, K), got shapes {self.codes.shape} and {self.factors.shape}"
            )
        if len(self.codes) != len(self.factors):
            raise ValueError(
                f"codes and factors must have one row per image, got {len(self.codes)} and {len(self.factors)}"
            )
        if self.codes.size == 0:
            raise ValueError(f"codes must not be empty, got shape {self.codes.shape}")
        if not self.factors.shape[1] == len(self.factor_sizes) == len(self.factor_names):
            raise ValueError(
                f"factors has {self.factors.shape[1]} columns, but factor_sizes is {self.factor_sizes} "
                f"and factor_names {self.factor_names}"
            )
        if self.logvar is not None and self.logvar.shape != self.codes.shape:
            raise ValueError(f"logvar must have the shape of codes {self.codes.shape}, got {self.logvar.shape}")
        if sum(self.categorical) > self.codes.shape[1]:
            raise ValueError(f"categorical codes of sizes {self.categorical} do not fit {self.codes.shape[1]} numbers")
        if self.parts and sum(self.parts.values()) != self.codes.shape[1]:
            raise ValueError(f"parts {dict(self.parts)} are not the {self.codes.shape[1]} numbers of a code")

    def _check_factor_values(self) -> None:
        if not np.issubdtype(self.factors.dtype, np.integer):
            raise ValueError(
                f"factors must be integer value indices, got {self.factors.dtype}; "
                "disent_runner.representations.arrays.represent takes any values"
            )
        for name, low, high, size in zip(
            self.factor_names, self.factors.min(axis=0), self.factors.max(axis=0), self.factor_sizes, strict=True
        ):
            if low < UNKNOWN or high >= size:
                raise ValueError(f"{name} must hold values 0 to {size - 1}, or -1 for unknown, got {low} to {high}")


def _check_finite(name: str, values: np.ndarray) -> None:
    if not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"{name} must be floating point, got {values.dtype}; cast them with astype(float)")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} hold {int((~np.isfinite(values)).sum())} values that are NaN or infinite")


def check_weights(weights: np.ndarray, *, num_images: int) -> None:
    """Raises ValueError for weights that are no distribution over the images once they are divided by their sum."""
    if weights.shape != (num_images,):
        raise ValueError(f"weights must be one number for each of {num_images} images, got shape {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(f"weights must be finite, not negative and not all 0, got {weights.min()} to {weights.max()}")


def weights_among(weights: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    """Probability of each of these images where one of them is drawn; None without weights, or where none has any."""
    chosen = None if weights is None else weights[rows]
    return chosen / chosen.sum() if chosen is not None and chosen.any() else None
