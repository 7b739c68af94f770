"""What figures of symbols ask of a run: its symbols by their names, and images of concepts."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from disent_runner.figures.inputs import FigureInputs
from disent_runner.representations.requirements import require_symbols
from disent_runner.representations.symbols import Symbols


def named_symbols(figure: str, inputs: FigureInputs) -> Symbols:
    """The model's symbols, called by the data set's names of values; NotApplicable, naming the figure, without any."""
    symbols = require_symbols(figure, inputs.representation)
    sizes = symbols.vocabulary.sizes
    names = {name: called for name, called in inputs.info.value_names.items() if sizes.get(name) == len(called)}
    return replace(symbols, vocabulary=replace(symbols.vocabulary, value_names=names))


def imagined(
    inputs: FigureInputs,
    mean: Float[np.ndarray, "concept latent"],
    logvar: Float[np.ndarray, "concept latent"],
    *,
    count: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "concept count channel height width"]:
    """Images of so many codes of each concept."""
    noise = rng.standard_normal((len(mean), count, mean.shape[1]), dtype=np.float32)
    codes = mean[:, None] + np.exp(logvar / 2)[:, None] * noise
    images = inputs.decode(codes.reshape(-1, codes.shape[2]))
    return images.reshape(len(mean), count, *images.shape[1:])
