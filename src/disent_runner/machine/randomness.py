"""Random streams that depend on a seed and a name alone, so that nothing made beside them changes their numbers."""

import zlib

import numpy as np


def random_stream(seed: int, name: str) -> np.random.Generator:
    """The stream of a metric, a figure or another thing of that name."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
