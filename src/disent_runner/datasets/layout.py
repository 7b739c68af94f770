"""How a published file is laid out inside, so that what we export opens in the programs made for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int


@dataclass(frozen=True, eq=False)
class Labels:
    """What a file says of its images: value indices, one row an image, one column for each of `sizes`.

    `classes` count the values that a subset left; `originals` are the indices that those have in the whole data set.
    """

    sizes: Mapping[str, int]
    classes: Int[np.ndarray, "image factor"]
    originals: Int[np.ndarray, "image factor"]
    source: str

    def values(self, tables: Mapping[str, np.ndarray]) -> Float64[np.ndarray, "image factor"]:
        """The value of each factor, from a table of the values of each in the whole data set."""
        columns = [tables[name][column] for name, column in zip(self.sizes, self.originals.T, strict=True)]
        return np.stack(columns, axis=1).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Layout:
    """The name of the array of images, in which a full pixel is `white`, and the arrays beside it.

    Arrays that are named group/name are called group_name in an npz; an HDF5 file goes without those of objects.
    """

    images: str
    beside: Callable[[Labels], Mapping[str, np.ndarray]]
    white: int = 255
