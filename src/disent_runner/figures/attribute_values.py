"""Images of one attribute's symbol, more and less than it ever was (Higgins et al. 2018, SCAN on CelebA)."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import MinLen
from matplotlib.figure import Figure

from disent_runner.datasets.symbols.concepts import ANY
from disent_runner.datasets.symbols.phrases import parse, phrase_of
from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.symbol_inputs import imagined, named_symbols
from disent_runner.machine.ranges import Count
from disent_runner.metrics.specificity import unigrams
from disent_runner.representations.requirements import require_at_least


def attribute_values(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    attributes: Sequence[str] | None,
    values: Annotated[Sequence[float], MinLen(1)],
    num_samples: Count,
) -> dict[str, Figure]:
    """`num_samples` images for each of the `values` that an attribute's entry of y takes, all other entries 0.

    Entries are 0 and 1 in training: what lies beyond shows whether an attribute is a direction. A row for each of the
    `attributes`, or for the last value of each factor, presence where it may be absent. The noise of a row is the same
    for each value. NotApplicable for a model without symbols or decoder; ValueError for an unknown attribute.
    """
    symbols = named_symbols("attribute_values", inputs)
    require_at_least("attribute_values", 1, num_samples=num_samples)
    vocabulary = symbols.vocabulary
    concepts = (
        unigrams(vocabulary)[0][np.cumsum(list(vocabulary.sizes.values())) - 1]
        if attributes is None
        else np.concatenate([parse(attribute, vocabulary).result for attribute in attributes])
    )
    labels = [phrase_of(concept[None], vocabulary) for concept in concepts]
    if several := [label for label, named in zip(labels, (concepts != ANY).sum(axis=1), strict=True) if named > 1]:
        raise ValueError(f"figure.attribute_values.attributes: {several[0]!r} is several; name one at a time")
    codes = [symbols.infer(np.float32(value) * vocabulary.encode(concepts)) for value in values]
    state = rng.bit_generator.state
    columns = []
    for mean, logvar in codes:
        rng.bit_generator.state = state
        columns.append(imagined(inputs, mean, logvar, count=num_samples, rng=rng))
    grid = np.concatenate(columns, axis=1)
    heads = [f"{value:g}" if place == 0 else "" for value in values for place in range(num_samples)]
    return {"attribute_values": labelled_grid(grid, row_labels=labels, column_labels=heads, title="entry of y")}
