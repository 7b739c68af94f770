"""The concepts that are parts of one, from the most abstract to itself (Higgins et al. 2018, SCAN)."""

from itertools import product

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from disent_runner.datasets.symbols.concepts import ANY, is_superordinate, order
from disent_runner.datasets.symbols.phrases import parse, phrase_of
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.figures.symbol_inputs import named_symbols
from disent_runner.machine.ranges import Text
from disent_runner.representations.requirements import NotApplicable

_MOST = 5
"""Factors whose values are named: more would be more than 31 concepts."""


def concept_hierarchy(inputs: FigureInputs, *, rng: np.random.Generator, concept: Text | None) -> dict[str, Figure]:
    """Every part of `concept`, such as "red wall, hat", with lines to those of one value more; taught ones are filled.

    null takes the taught concept that names most. ValueError for a concept that is none, NotApplicable for a model
    without symbols.
    """
    symbols = named_symbols("concept_hierarchy", inputs)
    orders = order(symbols.train)
    if concept is not None:
        whole = parse(concept, symbols.vocabulary).result
    elif (orders <= _MOST).any():
        whole = symbols.train[[np.where(orders <= _MOST, orders, 0).argmax()]]
    else:
        raise NotApplicable(f"concept_hierarchy needs a concept of at most {_MOST} factors, got none")
    if order(whole)[0] > _MOST:
        raise ValueError(f"concept_hierarchy needs a concept of at most {_MOST} factors, got {order(whole)[0]}")
    parts = parts_of(whole)
    taught = set(map(tuple, symbols.train.tolist()))
    places = _places(order(parts))
    widest = max(np.bincount(order(parts)))
    figure = Figure(figsize=(2 + 1.5 * widest, 1.4 * order(whole)[0] + 0.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    one, other = (index.reshape(-1) for index in np.indices((len(parts), len(parts))))
    is_next = is_superordinate(parts[one], parts[other]) & (order(parts)[one] + 1 == order(parts)[other])
    for above, below in zip(one[is_next], other[is_next], strict=True):
        axes.plot(*places[[above, below]].T, color="0.7", linewidth=0.8, zorder=1)
    for part, (x, y) in zip(parts, places, strict=True):
        text = as_label(phrase_of(part[None], symbols.vocabulary), 80).replace(", ", "\n")
        colour = "lightsteelblue" if tuple(part.tolist()) in taught else "white"
        box = {"boxstyle": "round", "facecolor": colour, "edgecolor": "0.4"}
        axes.text(x, y, text, ha="center", va="center", fontsize=7, bbox=box, zorder=2)
    axes.set(xlim=(-widest / 2, widest / 2), ylim=(-order(whole)[0] - 0.5, -0.5))
    axes.set_title("parts of a concept, those that were taught filled", fontsize=9)
    return {"concept_hierarchy": figure}


def parts_of(concept: Int[np.ndarray, "1 factor"]) -> Int[np.ndarray, "part factor"]:
    """Every concept that is a part of one, a row, and itself: those that name least first."""
    choices = [(ANY, value) if value != ANY else (ANY,) for value in concept[0].tolist()]
    rows = np.array([row for row in product(*choices) if set(row) != {ANY}])
    return rows[np.argsort(order(rows), kind="stable")]


def _places(orders: np.ndarray) -> np.ndarray:
    """In a row by order, the first on top, each row in the middle."""
    counts = np.bincount(orders)
    columns = np.concatenate([np.arange(count) - (count - 1) / 2 for count in counts])
    return np.column_stack([columns, -orders])
