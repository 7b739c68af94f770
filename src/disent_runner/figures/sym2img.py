"""Images of concepts of every order (Higgins et al. 2018, SCAN)."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.datasets.symbols.concepts import order
from disent_runner.datasets.symbols.phrases import phrase_of
from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.symbol_inputs import imagined, named_symbols
from disent_runner.machine.ranges import Count
from disent_runner.representations.requirements import require_at_least


def sym2img(
    inputs: FigureInputs, *, rng: np.random.Generator, num_concepts: Count, num_samples: Count
) -> dict[str, Figure]:
    """`num_samples` images of `num_concepts` taught concepts of each order, those that name least first.

    What a concept names should be the same in a row, and all else differ. NotApplicable for a model without symbols or
    decoder.
    """
    symbols = named_symbols("sym2img", inputs)
    require_at_least("sym2img", 1, num_concepts=num_concepts, num_samples=num_samples)
    shuffled = symbols.train[rng.permutation(len(symbols.train))]
    orders = order(shuffled)
    concepts = np.concatenate([shuffled[orders == number][:num_concepts] for number in np.unique(orders)])
    mean, logvar = symbols.infer(symbols.vocabulary.encode(concepts))
    images = imagined(inputs, mean, logvar, count=num_samples, rng=rng)
    labels = [phrase_of(concept[None], symbols.vocabulary) for concept in concepts]
    return {"sym2img": labelled_grid(images, row_labels=labels, title="images of taught concepts")}
