"""What every renderer checks about the factor values that it is given."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Integer


def check_range(factors: Integer[np.ndarray, "image factor"], sizes: Mapping[str, int]) -> None:
    """ValueError names the first factor with a value out of range, in the first row that has one.

    The columns of `factors` are those of `sizes`, in that order.
    """
    wrong = (factors < 0) | (factors >= np.array(list(sizes.values())))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        name, size = list(sizes.items())[column]
        raise ValueError(f"{name} must be 0 to {size - 1}, got {factors[row, column]} in row {row}")
