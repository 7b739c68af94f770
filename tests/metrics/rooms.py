"""A model of bars that understands every symbol: what metrics of symbols give for it is known.

The code of a factor's value is the middle of its share of the prior's probability, so that codes from the prior show
each value equally often. A fourth latent means nothing.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import norm

from disent_runner.datasets.symbols.concepts import Concepts
from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.symbols import Symbols

SIZES = {"a": 4, "b": 3, "c": 2}
SHAPE = np.array(list(SIZES.values()))
VOCABULARY = Vocabulary(SIZES, synonyms=(5, 0))
LATENTS = 4
NARROW = -14.0
SIDE = 12
GRID = np.indices(tuple(SIZES.values())).reshape(3, -1).T


def values_of(codes: np.ndarray) -> np.ndarray:
    return np.minimum((norm.cdf(codes[:, :3]) * SHAPE).astype(np.int64), SHAPE - 1)


def codes_of(values: np.ndarray) -> np.ndarray:
    return np.column_stack([norm.ppf((values + 0.5) / SHAPE), np.zeros(len(values))])


def decode(codes: np.ndarray) -> np.ndarray:
    """Three bands, each with a bar in the place of a factor's value."""
    images = np.zeros((len(codes), 1, SIDE, SIDE), np.float32)
    place = np.arange(SIDE)
    for band, values in enumerate(values_of(codes).T):
        is_bar = place * SHAPE[band] // SIDE == values[:, None]
        images[:, 0, 4 * band : 4 * band + 4] = is_bar[:, None]
    return images


def infer(symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Narrow at what is named, the prior elsewhere."""
    concepts = VOCABULARY.decode(symbols)
    mean = np.where(concepts >= 0, codes_of(np.maximum(concepts, 0))[:, :3], 0.0)
    logvar = np.where(concepts >= 0, NARROW, 0.0)
    nothing = np.zeros((len(symbols), 1))
    return np.hstack([mean, nothing]).astype(np.float32), np.hstack([logvar, nothing]).astype(np.float32)


def recombine(operators, mean1, logvar1, mean2, logvar2) -> tuple[np.ndarray, np.ndarray]:
    first, second = logvar1 < -1, logvar2 < -1
    same = first & second & np.isclose(mean1, mean2)
    named = np.select([operators[:, None] == 0, operators[:, None] == 1], [first | second, same], first & ~second)
    mean = np.where(named, np.where(first, mean1, mean2), 0)
    return mean.astype(np.float32), np.where(named, NARROW, 0).astype(np.float32)


def describe(codes: np.ndarray) -> np.ndarray:
    """Certain of the last symbol of each value that an image shows."""
    plain = VOCABULARY.encode(values_of(codes))[:, : VOCABULARY.num_values]
    said = np.hstack([plain, plain[:, list(VOCABULARY.synonyms)]])
    said[:, list(VOCABULARY.synonyms)] = 0
    return said


def taught(**changes: Any) -> Symbols:
    symbols = Symbols(
        vocabulary=VOCABULARY,
        factors=("a", "b", "c"),
        train=np.array([[0, -1, -1], [1, 2, -1], [-1, 0, 1], [2, 1, 0]]),
        unseen=np.array([[3, 2, 1], [0, 0, 0]]),
        infer=infer,
        describe=describe,
        recombine=recombine,
    )
    return replace(symbols, **changes)


def representation(symbols: Symbols | None, *, copies: int = 20, **changes: Any) -> Representation:
    """Images of all values, among whose factors is one that concepts are not about, the first."""
    values = np.tile(GRID, (copies, 1))
    codes = codes_of(values) + 0.0
    factors = np.column_stack([np.arange(len(values)) % 5, values])
    rep = Representation(
        codes,
        factors,
        (5, *SIZES.values()),
        logvar=np.tile([NARROW, NARROW, NARROW, 0.0], (len(codes), 1)),
        factor_names=("yaw", *SIZES),
        autoencoder=Autoencoder(
            images=lambda rows: decode(codes[rows]),
            decode=decode,
            jacobian=decode,
            prior=lambda count, rng: rng.standard_normal((count, LATENTS)),
        ),
        symbols=symbols,
    )
    return replace(rep, **changes)


def prior_of(concepts: Concepts) -> tuple[np.ndarray, np.ndarray]:
    """The prior, whatever is said."""
    return np.zeros((len(concepts), LATENTS), np.float32), np.zeros((len(concepts), LATENTS), np.float32)
