"""Two concepts and what an operator makes of them (Higgins et al. 2018, SCAN)."""

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from disent_runner.datasets.symbols.phrases import phrase_of
from disent_runner.datasets.symbols.recombinations import OPERATORS
from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.symbol_inputs import imagined, named_symbols
from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.concept_draws import draw_pairs, draw_untaught
from disent_runner.representations.requirements import NotApplicable, require_at_least

_CANDIDATES = 200


def recombinations(
    inputs: FigureInputs, *, rng: np.random.Generator, num_pairs: Count, num_samples: Count
) -> dict[str, Figure]:
    """`recombinations_<operator>`: `num_pairs` of concepts whose result was not taught, in three rows of images each.

    The first, the second, and what the operator makes of their codes. NotApplicable for a model without operators.
    """
    symbols = named_symbols("recombinations", inputs)
    require_at_least("recombinations", 1, num_pairs=num_pairs, num_samples=num_samples)
    if symbols.recombine is None:
        raise NotApplicable("recombinations needs a model with operators, got one of concepts alone")
    pairs = draw_pairs(symbols, draw_untaught(symbols, _CANDIDATES, rng), rng)
    figures: dict[str, Figure] = {}

    def text(concept: Int[np.ndarray, " factor"]) -> str:
        return phrase_of(concept[None], symbols.vocabulary)

    for number, operator in enumerate(OPERATORS):
        chosen = np.flatnonzero(pairs.operators == number)[:num_pairs]
        if len(chosen) == 0:
            continue
        first, second = (symbols.infer(symbols.vocabulary.encode(part[chosen])) for part in (pairs.first, pairs.second))
        result = symbols.recombine(pairs.operators[chosen], *first, *second)
        images = [imagined(inputs, *codes, count=num_samples, rng=rng) for codes in (first, second, result)]
        made = operator.combine(pairs.first[chosen], pairs.second[chosen])
        labels = [
            label
            for one, other, both in zip(pairs.first[chosen], pairs.second[chosen], made, strict=True)
            for label in (text(one), f"{operator.name} {text(other)}", f"= {text(both)}")
        ]
        grid = np.stack(images, axis=1).reshape(-1, *images[0].shape[1:])
        name = f"recombinations_{operator.name.lower().replace(' ', '_')}"
        figures[name] = labelled_grid(grid, row_labels=labels, title=f"{operator.name} of two concepts")
    return figures
