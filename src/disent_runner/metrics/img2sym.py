"""Symbols of images: is what a model says of an image what it shows? (Higgins et al. 2018, SCAN)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import UNKNOWN, Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_symbols

THRESHOLD = 0.5
"""A symbol with a higher probability is said."""


@returns(
    Number("img2sym", "higher", per_factor=True),
    Number("img2sym_chance"),
    Number("img2sym_extra", "lower", unit="symbols"),
)
def img2sym(rep: Representation, *, rng: np.random.Generator, num_images: Count = 5_000) -> dict[str, float]:
    """What p(y|z) says of `num_images` images, z one sample of each q(z|x), or the code where there is no posterior.

    `img2sym` is the mean over factors of the share of images of which the most probable value is the true one;
    `img2sym_chance` that of always saying the commonest; `img2sym_extra` how many values an image is said to have that
    it has not. A synonym counts as what it means.

    Raises:
        ValueError: a model without symbols, no image whose factors are all known, or `num_images` below 1.
    """
    symbols = require_symbols("img2sym", rep)
    require_at_least("img2sym", 1, num_images=num_images)
    columns = [rep.factor_names.index(name) for name in symbols.factors]
    known = np.flatnonzero((rep.factors[:, columns] != UNKNOWN).all(axis=1))
    if len(known) == 0:
        raise NotApplicable("img2sym needs images whose factors are all known, got none")
    codes = rep.codes if rep.logvar is None else rep.sampled(rng).codes
    rows = known[draw_rows(len(known), num_images, rng)]
    labels = rep.factors[rows][:, columns]
    said = symbols.describe(codes[rows])
    accuracies = accuracy_by_factor(symbols.vocabulary, said, labels)
    commonest = [np.bincount(values).max() / len(values) for values in labels.T]
    return {
        "img2sym": float(accuracies.mean()),
        **{f"img2sym_factor_{k}": float(accuracy) for k, accuracy in zip(columns, accuracies, strict=True)},
        "img2sym_chance": float(np.mean(commonest)),
        "img2sym_extra": extra_symbols(symbols.vocabulary, said, labels),
    }


def accuracy_by_factor(
    vocabulary: Vocabulary,
    probabilities: Float[np.ndarray, "image symbol"],
    labels: Integer[np.ndarray, "image factor"],
) -> Float[np.ndarray, " factor"]:
    """Share of the images of which each factor's most probable value is the labelled one."""
    said = [block.argmax(axis=1) for block in _blocks(vocabulary, probabilities)]
    return (np.stack(said, axis=1) == labels).mean(axis=0)


def extra_symbols(
    vocabulary: Vocabulary,
    probabilities: Float[np.ndarray, "image symbol"],
    labels: Integer[np.ndarray, "image factor"],
) -> float:
    """Mean number of values that are said of an image and not its own."""
    extra = [
        (block > THRESHOLD).sum(axis=1) - (block[np.arange(len(values)), values] > THRESHOLD)
        for block, values in zip(_blocks(vocabulary, probabilities), labels.T, strict=True)
    ]
    return float(np.sum(extra, axis=0).mean())


def _blocks(
    vocabulary: Vocabulary, probabilities: Float[np.ndarray, "image symbol"]
) -> Sequence[Float[np.ndarray, "image _"]]:
    return np.split(vocabulary.without_synonyms(probabilities), vocabulary.starts[1:], axis=1)
