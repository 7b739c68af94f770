"""Codes of a data set beside its ground-truth factors: what every metric gets."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Representation:
    """Codes of N images with the value index of each of their K factors.

    `codes` (N, D) float: posterior means, or any code. `factors` (N, K) int. `factor_sizes` K numbers of values; the
    grid may be incomplete (N < product). `logvar` (N, D): log variance of q(z|x) in nats, None for point codes.

    Raises:
        ValueError: arrays that do not belong together, codes that are not finite, or a factor value outside its size.
    """

    codes: np.ndarray
    factors: np.ndarray
    factor_sizes: tuple[int, ...]
    logvar: np.ndarray | None = None

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_factor_values()
        _check_finite("codes", self.codes)
        if self.logvar is not None:
            _check_finite("logvar", self.logvar)

    def _check_shapes(self) -> None:
        if self.codes.ndim != 2 or self.factors.ndim != 2:
            raise ValueError(
                f"codes must be (N, D) and factors (N, K), got shapes {self.codes.shape} and {self.factors.shape}"
            )
        if len(self.codes) != len(self.factors):
            raise ValueError(
                f"codes and factors must have one row per image, got {len(self.codes)} and {len(self.factors)}"
            )
        if self.codes.size == 0 or self.factors.size == 0:
            raise ValueError(
                f"codes and factors must not be empty, got shapes {self.codes.shape} and {self.factors.shape}"
            )
        if self.factors.shape[1] != len(self.factor_sizes):
            raise ValueError(f"factors has {self.factors.shape[1]} columns, but factor_sizes is {self.factor_sizes}")
        if self.logvar is not None and self.logvar.shape != self.codes.shape:
            raise ValueError(f"logvar must have the shape of codes {self.codes.shape}, got {self.logvar.shape}")

    def _check_factor_values(self) -> None:
        if not np.issubdtype(self.factors.dtype, np.integer):
            raise ValueError(
                f"factors must be integer value indices, got {self.factors.dtype}; cast them with astype(int)"
            )
        for column, (low, high, size) in enumerate(
            zip(self.factors.min(axis=0), self.factors.max(axis=0), self.factor_sizes, strict=True)
        ):
            if low < 0 or high >= size:
                raise ValueError(f"factor {column} must hold values 0 to {size - 1}, got {low} to {high}")


def _check_finite(name: str, values: np.ndarray) -> None:
    if not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"{name} must be floating point, got {values.dtype}; cast them with astype(float)")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} hold {int((~np.isfinite(values)).sum())} values that are NaN or infinite")
