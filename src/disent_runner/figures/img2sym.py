"""What a model says of images (Higgins et al. 2018, SCAN)."""

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.figures.symbol_inputs import named_symbols
from disent_runner.machine.ranges import Count
from disent_runner.representations.requirements import require_at_least

_TRUE, _FALSE = "tab:green", "tab:red"


def img2sym(
    inputs: FigureInputs, *, rng: np.random.Generator, num_images: Count, num_symbols: Count
) -> dict[str, Figure]:
    """Random images, each with the `num_symbols` most probable symbols of one code of its posterior.

    Those that it shows are green, synonyms too, others red. NotApplicable for a model without symbols or decoder.
    """
    symbols = named_symbols("img2sym", inputs)
    require_at_least("img2sym", 1, num_images=num_images, num_symbols=num_symbols)
    rep, vocabulary = inputs.representation, symbols.vocabulary
    codes = rep.codes if rep.logvar is None else rep.sampled(rng).codes
    rows = np.sort(rng.choice(len(codes), min(num_images, len(codes)), replace=False))
    columns = [rep.factor_names.index(name) for name in symbols.factors]
    shown = vocabulary.encode(rep.factors[rows][:, columns])[:, vocabulary.values] > 0
    probabilities, images = symbols.describe(codes[rows]), inputs.image(rows)
    figure = Figure(figsize=(5, 0.3 + len(rows) * max(1.0, 0.22 * num_symbols)), layout="constrained")
    panels = figure.subplots(len(rows), 2, squeeze=False, width_ratios=(1, 2))
    for (left, right), image, said, is_true in zip(panels, images, probabilities, shown, strict=True):
        left.imshow(np.moveaxis(image, 0, -1).clip(0, 1), cmap="gray", vmin=0, vmax=1)
        left.set_axis_off()
        best = most_probable(said, num_symbols)
        colours = [_TRUE if is_true[symbol] else _FALSE for symbol in best]
        right.barh(range(len(best)), said[best], color=colours)
        right.set_yticks(range(len(best)), [as_label(vocabulary.names[symbol], 24) for symbol in best], fontsize=7)
        right.set(xlim=(0, 1), ylim=(len(best) - 0.5, -0.5))
        right.tick_params(axis="x", labelsize=7)
    panels[-1, 1].set_xlabel("p(symbol | image)", fontsize=8)
    return {"img2sym": figure}


def most_probable(probabilities: Float[np.ndarray, " symbol"], count: int) -> Integer[np.ndarray, " best"]:
    """The symbols with the highest probabilities, the highest first."""
    return np.argsort(-probabilities, kind="stable")[:count]
