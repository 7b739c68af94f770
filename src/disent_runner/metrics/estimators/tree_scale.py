"""Codes for trees that hold them in single precision and take for equal what differs by 1e-7 or less (scikit-learn's).

Not for its histogram gradient boosting, nor for `gradient_boosting`, which compare codes as they are.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

EXPONENT = 64
"""Codes are up to 2**64: 1e-7 is then below the last digit of any that matter, and single precision ends far above."""


def tree_scale(
    codes: Float[np.ndarray, "image latent"],
) -> Callable[[Float[np.ndarray, "_ latent"]], Float[np.ndarray, "_ latent"]]:
    """What brings codes like these to one scale for trees, order and relative distances kept.

    A power of two, which changes no digit, and for codes far from 0, beside how much they vary, a shift.
    """
    low, high = codes.min(axis=0), codes.max(axis=0)
    far = np.ldexp(16.0, np.frexp(high - low)[1])
    shift = np.round((low / 2 + high / 2) / far) * far
    exponent = EXPONENT - np.frexp(np.abs(codes - shift).max(axis=0))[1]
    largest = np.ldexp(1.0, 2 * EXPONENT - 28)  # other codes may lie beyond these ones: all splits are below

    def scaled(others: Float[np.ndarray, "_ latent"]) -> Float[np.ndarray, "_ latent"]:
        return np.ldexp(others - shift, exponent).clip(-largest, largest)

    return scaled
